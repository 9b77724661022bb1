//! Texts for keys of 32 bytes, with a checksum (Bech32, BIP 173), in lower case.

const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
/// Characters of the checksum.
const CHECK: usize = 6;

pub(super) fn encode(prefix: &str, bytes: &[u8; 32]) -> String {
    let mut values = regrouped(bytes.iter().copied(), 8, 5, true).unwrap_or_default();
    let sum = checksum(prefix, values.iter().copied().chain([0; CHECK])) ^ 1;
    values.extend((0..CHECK).rev().map(|at| low_bits(sum >> (5 * at))));
    let digits = values.iter().filter_map(|value| ALPHABET.get(usize::from(*value)));
    format!("{prefix}1{}", digits.map(|digit| char::from(*digit)).collect::<String>())
}

pub(super) fn decode(prefix: &str, text: &str) -> Option<[u8; 32]> {
    let rest = text.strip_prefix(prefix)?.strip_prefix('1')?;
    let value = |c: u8| ALPHABET.iter().position(|digit| *digit == c).and_then(|at| u8::try_from(at).ok());
    let mut values = rest.bytes().map(value).collect::<Option<Vec<u8>>>()?;
    if checksum(prefix, values.iter().copied()) != 1 {
        return None;
    }
    values.truncate(values.len().checked_sub(CHECK)?);
    regrouped(values.into_iter(), 5, 8, false)?.try_into().ok()
}

fn low_bits(value: u32) -> u8 {
    value.to_le_bytes()[0] & 31
}

fn checksum(prefix: &str, values: impl Iterator<Item = u8>) -> u32 {
    let prefix = prefix.as_bytes();
    let expanded = prefix.iter().map(|c| c >> 5).chain([0]).chain(prefix.iter().map(|c| c & 31));
    expanded.chain(values).fold(1, |sum, value| {
        let top = sum >> 25;
        let next = ((sum & 0x01ff_ffff) << 5) ^ u32::from(value);
        let picked = GENERATOR.iter().enumerate().filter(|(bit, _)| top >> bit & 1 == 1);
        picked.fold(next, |sum, (_, constant)| sum ^ constant)
    })
}

/// The same bits in groups of another size. What is left over is filled up with zeros, or must be zeros.
fn regrouped(values: impl Iterator<Item = u8>, from: u32, to: u32, fill: bool) -> Option<Vec<u8>> {
    let (mut held, mut bits, mut out) = (0_u32, 0, Vec::new());
    for value in values {
        held = held << from | u32::from(value);
        bits += from;
        while bits >= to {
            bits -= to;
            out.push(((held >> bits) & ((1 << to) - 1)).to_le_bytes()[0]);
        }
        held &= (1 << bits) - 1;
    }
    if fill && bits > 0 {
        out.push((held << (to - bits)).to_le_bytes()[0]);
    } else if bits >= from || held != 0 {
        return None;
    }
    Some(out)
}
