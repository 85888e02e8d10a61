//! Chance that one number decides, so that a run can be made again as far as the machine allows.

/// A small generator (SplitMix64); nothing here needs a better one.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// What a number decides.
    #[must_use]
    pub const fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// One for somebody else, independent of what is drawn here later.
    #[must_use]
    pub fn branch(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From `least` up to, and without, `most`.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most - least)
    }

    /// Bytes for somebody who wants random ones.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let drawn = self.next().to_be_bytes();
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
    }

    /// Once in so many times.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.next().is_multiple_of(times)
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let length = u64::try_from(of.len()).unwrap_or(1);
        let place = usize::try_from(self.next() % length).unwrap_or(0);
        &of[place]
    }
}
