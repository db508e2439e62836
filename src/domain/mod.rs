//! The vocabulary, in the order a reader meets it. PURE: no runtime, no network, no files, no clock.
//!
//! | module | what it names |
//! |---|---|
//! | [`ids`] | accounts, roles, stages, digests, effect ids |
//! | [`calendar`] | points that lie evenly on the calendar: when something bills |
//! | [`money`] | amounts in minor units with their currency |
//! | [`table`] | an operator's CSV file, read by the names of its columns |
//! | [`text`] | text from outside, made safe to draw; masks for personal data |
//! | [`time`] | instants and lengths |
//! | [`scope`] | who moves and who stays |
//! | [`mod@write`] | one request as data, and the marker and key it carries |
//! | [`mapped`] | old id → new id, from stage to stage |
//! | [`change`] | one row of a plan: verdict, money, difference, evidence, choices |
//! | [`plan`] | all rows of a stage, their digest and control totals |
//! | [`approval`] | the permission to write one plan, and nothing else |
//! | [`finding`] | something a person has to know |
//! | [`record`] | one line of the journal |
//! | [`upload`] | a file of ours that a person gave to the Dashboard |
//! | [`panel`] | what a stage shows, as data |

pub mod approval;
pub mod calendar;
pub mod change;
pub mod fields;
pub mod finding;
pub mod ids;
pub mod mapped;
pub mod money;
pub mod panel;
pub mod plan;
pub mod record;
pub mod scope;
pub mod table;
pub mod text;
pub mod time;
pub mod upload;
pub mod write;
