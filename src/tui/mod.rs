//! tui
/// Options of the screen.
#[derive(Debug, Default)]
pub struct Options;
impl Options {
    /// x
    pub fn new(_: bool, _: bool, _: Option<String>) -> Self {
        Self
    }
}
/// Gives the terminal back.
pub fn restore() {}
/// x
pub async fn run(_: crate::engine::command::Handle, _: Options) -> Result<(), String> {
    Ok(())
}
