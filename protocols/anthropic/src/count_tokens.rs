use canon::*;
pub const PATH: &str = "/x";
pub const STOP: &[u8] = b"";
pub fn scan(_: &[u8]) -> Result<Facts, ScanError> {
    Err(ScanError::Missing { param: "x" })
}
pub fn read_event(_: &[u8]) -> Piece {
    Piece::Nothing
}
pub fn read_unary(_: &[u8]) -> Result<Option<Usage>, UnaryError> {
    Ok(None)
}
pub fn without_foreign_thoughts(_: &[u8], _: impl Fn(&Signature) -> bool) -> Option<Vec<u8>> {
    None
}
