//! What a world's shop holds: products, prices, tax rates and payment links as the requests that would have made them,
//! oldest first. Every kind of price occurs, among them those a migration is most likely to get wrong.

/// A product. `id`: of its owner's choosing, or empty.
pub(crate) struct Ware {
    pub(crate) id: &'static str,
    pub(crate) form: &'static str,
    /// Place of its default price in [`PRICES`].
    pub(crate) default: Option<usize>,
}

/// A price. `id`: of a plan from before prices, or empty.
pub(crate) struct Tag {
    /// Place of its product in [`PRODUCTS`].
    pub(crate) product: usize,
    pub(crate) id: &'static str,
    pub(crate) form: &'static str,
    /// Whether live subscriptions may use it.
    pub(crate) used: bool,
}

const fn ware(id: &'static str, default: Option<usize>, form: &'static str) -> Ware {
    Ware { id, form, default }
}

const fn tag(product: usize, id: &'static str, form: &'static str) -> Tag {
    let used = true;
    Tag {
        product,
        id,
        form,
        used,
    }
}

/// A price nobody has subscribed to.
const fn unused(product: usize, form: &'static str) -> Tag {
    Tag {
        product,
        id: "",
        form,
        used: false,
    }
}

/// The product whose double on the new account has other terms, and that double.
pub(crate) const OTHER_TERMS: (usize, &str) = (
    1,
    "name=Lesson bundle&description=Somebody began here by hand&tax_code=txcd_10103000&unit_label=bundle&active=false",
);
/// The product and the price whose doubles on the new account have equal terms.
pub(crate) const EQUAL_TERMS: (usize, usize) = (5, 16);

pub(crate) const PRODUCTS: [Ware; 13] = [
    ware(
        "",
        Some(0),
        "name=Private lesson&description=One hour, one to one&tax_code=txcd_20030000&unit_label=lesson\
         &statement_descriptor=LANTERN LESSON&metadata[level]=all",
    ),
    ware(
        "lesson-pack",
        Some(6),
        "name=Pack of lessons&tax_code=txcd_20030000&unit_label=lesson&shippable=false",
    ),
    ware(
        "gold",
        None,
        "name=Gold&description=From the days of plans&metadata[legacy]=yes",
    ),
    ware(
        "",
        None,
        "name=Group class&tax_code=txcd_20030000&unit_label=seat",
    ),
    ware(
        "",
        None,
        "name=Tutor line&tax_code=txcd_10000000&unit_label=minute",
    ),
    ware(
        "course-library",
        None,
        "name=Course library&description=Every recording&tax_code=txcd_10000000\
         &url=https://lantern.example/library&images[]=https://lantern.example/a.png\
         &images[]=https://lantern.example/b.png&marketing_features[][name]=1,200 recordings\
         &marketing_features[][name]=New every week",
    ),
    ware("", None, "name=Scholarship fund&shippable=false"),
    ware(
        "",
        None,
        "name=\u{1b}[31mRed\u{1b}[0m =cmd|'/C calc'!A0&description=\u{202e}gnikcab\u{202c}\nline two\tand a tab",
    ),
    ware(
        "",
        Some(20),
        "name=Exam preparation&tax_code=txcd_20030000&metadata[term]=quarter",
    ),
    ware(
        "",
        None,
        "name=Printed workbook&tax_code=txcd_99999999&shippable=true&package_dimensions[height]=0.5\
         &package_dimensions[length]=11&package_dimensions[weight]=14.25&package_dimensions[width]=8.5",
    ),
    ware("", None, "name=Homework club&active=false&metadata[closed]=2024"),
    ware("", None, "name=Sibling&tax_code=txcd_20030000"),
    ware(
        "",
        None,
        "name=👩‍🏫 Zo\u{200b}ë's \u{2066}مرحبا\u{2069} <b>class</b>&unit_label=seat",
    ),
];

const MONTH: &str = "recurring[interval]=month";

/// Prices by place. What stands in braces of a form is filled in: `{meter}` is the account's meter.
pub(crate) const PRICES: [Tag; 33] = [
    tag(
        0,
        "",
        "currency=usd&unit_amount=4500&recurring[interval]=month&tax_behavior=exclusive&lookup_key=lesson_usd_monthly&nickname=Monthly",
    ),
    tag(
        0,
        "",
        "currency=aud&unit_amount=6500&recurring[interval]=month&tax_behavior=inclusive&lookup_key=lesson_aud_monthly",
    ),
    tag(0, "", "currency=jpy&unit_amount=6500&recurring[interval]=month"),
    tag(
        0,
        "",
        "currency=usd&unit_amount=45000&recurring[interval]=year&tax_behavior=exclusive&lookup_key=lesson_usd_yearly",
    ),
    // Grandfathered: inactive, and still paid by people.
    tag(
        0,
        "",
        "currency=usd&unit_amount=4000&recurring[interval]=month&tax_behavior=exclusive&active=false&nickname=Until 2023&metadata[grandfathered]=yes",
    ),
    tag(
        0,
        "",
        "currency=aud&unit_amount=5900&recurring[interval]=month&active=false&metadata[grandfathered]=yes",
    ),
    unused(
        1,
        "currency=usd&unit_amount=20000&tax_behavior=exclusive&lookup_key=pack_of_five",
    ),
    tag(
        1,
        "",
        "currency=usd&billing_scheme=tiered&tiers_mode=volume&recurring[interval]=month&tax_behavior=exclusive\
        &tiers[0][up_to]=4&tiers[0][unit_amount]=4500&tiers[1][up_to]=10&tiers[1][unit_amount]=4200\
        &tiers[2][up_to]=inf&tiers[2][unit_amount_decimal]=3899.5",
    ),
    tag(
        2,
        "gold-monthly",
        "currency=usd&unit_amount=9900&recurring[interval]=month&nickname=Gold",
    ),
    tag(
        2,
        "silver-yearly",
        "currency=usd&unit_amount=50000&recurring[interval]=year&active=false",
    ),
    tag(
        3,
        "",
        "currency=aud&billing_scheme=tiered&tiers_mode=graduated&recurring[interval]=month&tax_behavior=inclusive\
        &tiers[0][up_to]=5&tiers[0][unit_amount]=2500&tiers[0][flat_amount]=0&tiers[1][up_to]=inf\
        &tiers[1][unit_amount]=2000&tiers[1][flat_amount]=1000",
    ),
    unused(
        3,
        "currency=usd&unit_amount=1900&recurring[interval]=month&active=false",
    ),
    tag(
        3,
        "",
        "currency=usd&unit_amount=1900&recurring[interval]=week&tax_behavior=exclusive",
    ),
    // Sub-cent amounts: `unit_amount` is null and only the decimal says what it costs.
    tag(
        4,
        "",
        "currency=usd&unit_amount_decimal=0.5&recurring[interval]=month&recurring[usage_type]=metered&recurring[meter]={meter}&tax_behavior=exclusive",
    ),
    tag(
        4,
        "",
        "currency=usd&unit_amount_decimal=12.345&recurring[interval]=month&tax_behavior=exclusive",
    ),
    tag(
        4,
        "",
        "currency=usd&unit_amount_decimal=0.123456789012&recurring[interval]=month&transform_quantity[divide_by]=100&transform_quantity[round]=up",
    ),
    tag(
        5,
        "",
        "currency=usd&unit_amount=2900&recurring[interval]=month&tax_behavior=exclusive&lookup_key=library_monthly\
        &currency_options[aud][unit_amount]=4500&currency_options[aud][tax_behavior]=inclusive\
        &currency_options[eur][unit_amount]=2700&currency_options[eur][tax_behavior]=inclusive\
        &currency_options[jpy][unit_amount]=4400",
    ),
    tag(
        5,
        "",
        "currency=usd&unit_amount=29000&recurring[interval]=year&tax_behavior=exclusive&lookup_key=library_yearly\
        &currency_options[kwd][unit_amount]=89500&currency_options[aud][unit_amount_decimal]=44999.5",
    ),
    unused(
        6,
        "currency=usd&custom_unit_amount[enabled]=true&custom_unit_amount[minimum]=500&custom_unit_amount[maximum]=50000&custom_unit_amount[preset]=2000&nickname=Pay what you want",
    ),
    tag(
        7,
        "",
        "currency=usd&unit_amount=1500&recurring[interval]=month&nickname=@SUM(A1:A9)\u{7}&metadata[note]=\u{1b}]0;owned\u{7}",
    ),
    tag(
        8,
        "",
        "currency=usd&unit_amount=12900&recurring[interval]=month&recurring[interval_count]=3&tax_behavior=exclusive",
    ),
    tag(
        8,
        "",
        "currency=aud&unit_amount=17900&recurring[interval]=month&recurring[interval_count]=3&tax_behavior=inclusive",
    ),
    unused(8, "currency=usd&unit_amount=9900&tax_behavior=exclusive"),
    unused(9, "currency=usd&unit_amount=3500&tax_behavior=exclusive"),
    unused(9, "currency=aud&unit_amount=4900&tax_behavior=inclusive"),
    tag(
        10,
        "",
        "currency=usd&unit_amount=700&recurring[interval]=month&active=false",
    ),
    unused(
        10,
        "currency=usd&unit_amount=500&recurring[interval]=month&active=false&lookup_key=club_old",
    ),
    tag(
        11,
        "",
        "currency=usd&unit_amount=500&recurring[interval]=month&tax_behavior=exclusive",
    ),
    tag(
        11,
        "",
        "currency=aud&unit_amount=800&recurring[interval]=month&tax_behavior=inclusive",
    ),
    tag(11, "", "currency=usd&unit_amount=0&recurring[interval]=month"),
    tag(12, "", "currency=usd&unit_amount=99&recurring[interval]=day"),
    tag(
        12,
        "",
        "currency=usd&billing_scheme=tiered&tiers_mode=graduated&recurring[interval]=month\
        &tiers[0][up_to]=2&tiers[0][flat_amount]=1000&tiers[1][up_to]=inf&tiers[1][unit_amount]=400\
        &currency_options[aud][tiers][0][up_to]=2&currency_options[aud][tiers][0][flat_amount]=1500\
        &currency_options[aud][tiers][1][up_to]=inf&currency_options[aud][tiers][1][unit_amount_decimal]=599.95",
    ),
    tag(
        12,
        "",
        "currency=jpy&unit_amount=12000&recurring[interval]=year&tax_behavior=inclusive",
    ),
];

/// A price of the first product made together with a subscription, as `price_data` does.
pub(crate) const INLINE: (usize, &str) = (0, "currency=usd&unit_amount=4750&active=false");

pub(crate) const TAX_RATES: [&str; 4] = [
    "display_name=GST&percentage=10&inclusive=true&country=AU&jurisdiction=AU&tax_type=gst&description=Australia",
    "display_name=VAT&percentage=19&inclusive=true&country=DE&jurisdiction=DE&tax_type=vat&active=false",
    "display_name=Sales tax&percentage=8.875&inclusive=false&country=US&state=NY&jurisdiction=New York City&tax_type=sales_tax",
    "display_name=\u{1b}[1mTax\u{1b}[0m&percentage=0.25&inclusive=false&jurisdiction=%2B1%2B1|cmd&metadata[county]=Travis",
];

/// Payment links: places of prices, and quantities.
pub(crate) const LINKS: [&[(usize, i64)]; 2] = [&[(18, 1)], &[(23, 1), (22, 2)]];

/// A price's form with what every plain one has.
pub(crate) fn plain_price(amount: u32) -> String {
    format!("currency=usd&unit_amount={amount}&{MONTH}&tax_behavior=exclusive")
}
