use canon::*;
pub fn decode(_: &[u8]) -> Result<Turn, DecodeError> {
    Err(DecodeError::new("", "x"))
}
pub fn encode(_: &Turn, _: &Target<'_>) -> Encoded {
    Encoded::default()
}
pub fn decode_answer(_: &[u8]) -> Result<Answer, AnswerError> {
    Err(AnswerError::Empty)
}
pub fn encode_answer(_: Answer, _: &Asked) -> Encoded {
    Encoded::default()
}
#[derive(Debug, Default)]
pub struct Decoder;
impl Decoder {
    pub fn push(&mut self, _: &[u8], _: &mut Vec<Event>) -> Result<(), AnswerError> {
        Ok(())
    }
    pub fn finish(&mut self, _: &mut Vec<Event>) -> Result<(), AnswerError> {
        Ok(())
    }
}
#[derive(Debug)]
pub struct Encoder(Losses);
impl Encoder {
    pub fn new(_: Asked) -> Self {
        Self(Losses::default())
    }
    pub fn push(&mut self, _: Event, _: &mut Vec<u8>) {}
    pub fn losses(&self) -> &Losses {
        &self.0
    }
}

pub const PATH: &str = "/x";
pub const STOP: &[u8] = b"";
pub fn scan(_: &[u8], _: String, _: bool) -> Result<Facts, ScanError> {
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
pub fn path(_: &str, _: bool) -> String {
    String::new()
}
