//! When a delivery is tried again: quickly at first, then with growing pauses over three days.

/// Pauses after the first, second, … failed attempt, seconds: 77 hours in all.
const PAUSES_SECONDS: [i64; 13] = [
    2, 5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400, 86_400,
];

/// The next attempt after `attempts` have failed, or none when it is given up. A fifth of the
/// pause is drawn by chance, so that endpoints that failed together do not come back together.
pub(super) fn next_attempt_ms(attempts: i64, now_ms: i64, random: u64) -> Option<i64> {
    let place = usize::try_from(attempts.checked_sub(1)?).ok()?;
    let pause_ms = PAUSES_SECONDS.get(place)? * 1000;
    let spread = u64::try_from(pause_ms / 5).unwrap_or(0).max(1);
    let jitter = i64::try_from(random % spread).unwrap_or(0);
    Some(now_ms.saturating_add(pause_ms - pause_ms / 10 + jitter))
}

#[cfg(test)]
mod tests {
    use super::{PAUSES_SECONDS, next_attempt_ms};

    #[test]
    fn pauses_grow_over_three_days_and_then_end() {
        let mut total = 0;
        for (place, pause) in PAUSES_SECONDS.iter().enumerate() {
            let attempts = i64::try_from(place).unwrap() + 1;
            let least = next_attempt_ms(attempts, 0, 0).unwrap();
            let most = next_attempt_ms(attempts, 0, u64::MAX).unwrap();
            assert!(
                least >= pause * 900 && most <= pause * 1100,
                "attempt {attempts}"
            );
            total += pause;
        }
        assert!(total > 3 * 24 * 3600);
        assert_eq!(next_attempt_ms(14, 0, 0), None);
        assert_eq!(next_attempt_ms(0, 0, 0), None);
    }
}
