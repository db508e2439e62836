//! Where in an answer a value stands.

/// Where in the body a value stands.
#[derive(Clone, Default)]
pub(super) struct Place {
    /// For the reader, with indexes: `data[0].customer`.
    shown: String,
    /// As `expand` names it: `data.customer`.
    pub(super) dotted: String,
}

impl Place {
    pub(super) fn field(&self, name: &str) -> Self {
        let join = |at: &str| {
            if at.is_empty() {
                name.to_owned()
            } else {
                format!("{at}.{name}")
            }
        };
        Self {
            shown: join(&self.shown),
            dotted: join(&self.dotted),
        }
    }

    pub(super) fn element(&self, index: usize) -> Self {
        Self {
            shown: format!("{}[{index}]", self.shown),
            dotted: self.dotted.clone(),
        }
    }

    pub(super) fn says(&self, what: impl std::fmt::Display) -> Vec<String> {
        vec![format!(
            "{}: {what}",
            if self.shown.is_empty() {
                "body"
            } else {
                &self.shown
            }
        )]
    }
}
