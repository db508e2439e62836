//! The mapping stage and the application's database.

use std::path::{Path, PathBuf};

use super::Values;
use crate::config::layers::instant;
use crate::config::{ConfigError, DatabaseConfig, KeySource, MappingConfig};
use crate::domain::time::UtcMs;

/// Where the database is; without it none is touched.
const URL: &str = "app_database.url";
/// What has no meaning without a database. The others of the section have defaults.
const OF_A_DATABASE: [&str; 5] = [
    "app_database.table",
    "app_database.key_column",
    "app_database.method_column",
    "app_database.customer_column",
    "app_database.where",
];

impl Values<'_> {
    pub(super) fn mapping(&self) -> Result<MappingConfig, ConfigError> {
        Ok(MappingConfig {
            files: self.mapping_files()?,
            asked: self.path("mapping.asked"),
            copied_at: self.value("mapping.copied_at").and_then(instant).map(UtcMs),
            invoice_numbering: self.bool("mapping.invoice_numbering"),
            contact_days: self.number("mapping.contact_days"),
        })
    }

    fn mapping_files(&self) -> Result<Vec<PathBuf>, ConfigError> {
        let setting = "mapping.files";
        let mut files = Vec::new();
        for given in self.texts(setting) {
            let file = self.placed(setting, Path::new(&given));
            if given.is_empty() {
                return Err(self.wrong(setting, "contains an empty text; take it out"));
            }
            if files.contains(&file) {
                let why = format!("names {} twice; take one out", file.display());
                return Err(self.wrong(setting, why));
            }
            files.push(file);
        }
        Ok(files)
    }

    pub(super) fn database(&self) -> Result<Option<DatabaseConfig>, ConfigError> {
        let Some(url) = self.key(URL)? else {
            return self.refuse_half_a_database().map(|()| None);
        };
        let config = DatabaseConfig {
            url,
            table: self.with_a_database("app_database.table")?,
            key_column: self.with_a_database("app_database.key_column")?,
            method_column: self.with_a_database("app_database.method_column")?,
            customer_column: self.said("app_database.customer_column"),
            extra_columns: self.texts("app_database.extra_columns").collect(),
            condition: self.said("app_database.where"),
            quiet: self.bool("app_database.quiet"),
            lock_timeout_ms: self.number("app_database.lock_timeout_ms"),
            statement_timeout_ms: self.number("app_database.statement_timeout_ms"),
            batch_rows: self.number("app_database.batch_rows"),
        };
        self.refuse_a_key_of_an_account(&config.url)?;
        Ok(Some(config))
    }

    /// A table without a database would be left alone in silence, and so would every row of it.
    fn refuse_half_a_database(&self) -> Result<(), ConfigError> {
        let given = OF_A_DATABASE
            .into_iter()
            .find(|setting| self.value(setting).is_some());
        given.map_or(Ok(()), |setting| {
            let why = "needs `app_database.url`, which says where the database's address is; without it no \
                       database is touched";
            Err(self.wrong(setting, why))
        })
    }

    fn with_a_database(&self, setting: &'static str) -> Result<String, ConfigError> {
        self.said(setting).ok_or_else(|| {
            let why =
                format!("is given, so `{setting}` must be set too; config.example.toml says what it means");
            self.wrong(URL, why)
        })
    }

    /// Mixed up, the key would be taken for an address and stand in the database driver's messages.
    fn refuse_a_key_of_an_account(&self, url: &KeySource) -> Result<(), ConfigError> {
        let keys = [
            "source.key",
            "source.write_key",
            "destination.key",
            "destination.write_key",
        ];
        for setting in keys {
            if self.key(setting)?.as_ref() == Some(url) {
                let why = format!("names {url}, as `{setting}` does; correct one");
                return Err(self.wrong(URL, why));
            }
        }
        Ok(())
    }

    fn said(&self, setting: &str) -> Option<String> {
        self.value(setting).map(|_| self.text(setting).0)
    }

    /// A number whose bounds, checked when it was layered, fit.
    pub(super) fn number(&self, setting: &str) -> u32 {
        u32::try_from(self.int(setting)).unwrap_or(u32::MAX)
    }
}
