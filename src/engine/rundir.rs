//! run dir
