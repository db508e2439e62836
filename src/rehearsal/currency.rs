//! Currency codes as the simulator keeps them: three bytes.

/// A currency the simulated accounts support, lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Cur([u8; 3]);

/// What an account may hold a balance in: Stripe's presentment currencies.
const SUPPORTED: &str = "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd \
    bob brl bsd bwp byn bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd \
    egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk htg huf idr ils \
    inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad \
    mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr \
    pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle \
    sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst \
    xaf xcd xcg xof xpf yer zar zmw";

impl Cur {
    /// US dollars.
    pub(crate) const USD: Self = Self(*b"usd");

    /// Australian dollars.
    pub(crate) const AUD: Self = Self(*b"aud");
    /// Yen: no minor unit.
    pub(crate) const JPY: Self = Self(*b"jpy");
    /// Kuwaiti dinars: three decimals.
    pub(crate) const KWD: Self = Self(*b"kwd");

    /// Reads a code in either case; `None` when it is not supported.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let bytes: [u8; 3] = lower.as_bytes().try_into().ok()?;
        SUPPORTED.split(' ').any(|c| c == lower).then_some(Self(bytes))
    }

    /// The code, lower case.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// What the API says of a code it does not know.
    pub(crate) fn unknown(text: &str) -> String {
        let list: Vec<_> = SUPPORTED.split_whitespace().collect();
        format!(
            "Invalid currency: {}. Stripe currently supports these currencies: {}",
            text.to_ascii_lowercase(),
            list.join(", ")
        )
    }
}

impl std::fmt::Debug for Cur {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_in_either_case_and_unknown_ones_refused() {
        assert_eq!(
            Cur::parse("KWD").map(|c| c.as_str().to_owned()),
            Some("kwd".into())
        );
        assert_eq!(Cur::parse("zzz"), None);
        assert_eq!(Cur::parse("us"), None);
        assert_eq!(Cur::parse(""), None);
    }
}
