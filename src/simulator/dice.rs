//! Repeatable chance: the same seed and the same words give the same draws.
//!
//! Nothing here is fit for secrets, and nothing here decides what a draw means.

/// A small generator (splitmix64) whose start is a hash of the seed and of the words it is drawn for.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl Dice {
    /// Dice for one purpose. The words are hashed with FNV-1a, because the standard library's hash may change between
    /// releases and a recorded answer should not.
    pub(super) fn new(seed: u64, words: &[&[u8]]) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for word in words {
            for byte in word.iter().chain([&0xff]) {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
        Self(hash)
    }

    /// The next 64 bits.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = (bound as u64).max(1);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    /// True with probability `p` (clamped to 0 to 1).
    pub(super) fn chance(&mut self, p: f64) -> bool {
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        unit < p
    }

    /// One of `choices`, or `""` if there is none.
    pub(super) fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        let at = self.below(choices.len());
        choices.get(at).copied().unwrap_or("")
    }

    /// `prefix` and `len` letters and digits, as providers make their ids.
    pub(super) fn id(&mut self, prefix: &str, len: usize) -> String {
        let mut id = String::with_capacity(prefix.len() + len);
        id.push_str(prefix);
        for _ in 0..len {
            id.push(char::from(ALPHABET[self.below(ALPHABET.len())]));
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn same_seed_same_draws() {
        let mut one = Dice::new(7, &[b"a", b"b"]);
        let mut two = Dice::new(7, &[b"a", b"b"]);
        assert_eq!(one.id("x-", 20), two.id("x-", 20));
        assert_ne!(Dice::new(8, &[b"a", b"b"]).next(), Dice::new(7, &[b"a", b"b"]).next());
    }

    #[test]
    fn word_borders_count() {
        assert_ne!(Dice::new(7, &[b"ab", b"c"]).next(), Dice::new(7, &[b"a", b"bc"]).next());
    }

    #[test]
    fn chance_is_about_right() {
        let mut dice = Dice::new(1, &[]);
        let hits = (0..10_000).filter(|_| dice.chance(0.3)).count();
        assert!((2_800..3_200).contains(&hits), "{hits}");
        assert!(!(0..100).any(|_| dice.chance(0.0)));
        assert!((0..100).all(|_| dice.chance(1.0)));
    }
}
