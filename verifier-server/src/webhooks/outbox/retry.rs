//! The retry schedule of deliveries: exponential pauses over six days.

/// Pauses after the first, second, … failed attempt, seconds: 148 hours in total.
const PAUSES_SECONDS: [i64; 16] = [
    2, 5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400, 86_400, 86_400, 86_400,
    86_400,
];

/// Longest accepted `Retry-After`, milliseconds; with a longer one, a receiver would get no events.
const MOST_ASKED_MS: i64 = 86_400_000;

/// The time of the next attempt after `attempts` failures; none after the last. A fifth of the
/// pause is random, so that endpoints that failed together are not retried together. A longer pause
/// requested by the receiver is respected, up to a day.
pub(super) fn next_attempt_ms(
    attempts: i64,
    now_ms: i64,
    random: u64,
    asked_ms: Option<i64>,
) -> Option<i64> {
    let place = usize::try_from(attempts.checked_sub(1)?).ok()?;
    let pause_ms = PAUSES_SECONDS.get(place)? * 1000;
    let spread = u64::try_from(pause_ms / 5).unwrap_or(0).max(1);
    let jitter = i64::try_from(random % spread).unwrap_or(0);
    let normal_ms = pause_ms - pause_ms / 10 + jitter;
    let asked_ms = asked_ms.unwrap_or(0).min(MOST_ASKED_MS);
    Some(now_ms.saturating_add(normal_ms.max(asked_ms)))
}

#[cfg(test)]
mod tests {
    use super::{PAUSES_SECONDS, next_attempt_ms};

    const DAY_MS: i64 = 86_400_000;

    #[test]
    fn retry_pauses_grow_over_six_days() {
        let mut least_in_all = 0;
        for (place, pause) in PAUSES_SECONDS.iter().enumerate() {
            let attempts = i64::try_from(place).unwrap() + 1;
            let least = next_attempt_ms(attempts, 0, 0, None).unwrap();
            let most = next_attempt_ms(attempts, 0, u64::MAX, None).unwrap();
            assert!(
                least >= pause * 900 && most <= pause * 1100,
                "attempt {attempts}"
            );
            least_in_all += least;
        }
        assert!(least_in_all > 5 * DAY_MS, "{least_in_all} ms");
        let hours = PAUSES_SECONDS.iter().sum::<i64>().div_euclid(3600);
        assert_eq!(hours, 147, "and three quarters");
        assert_eq!(next_attempt_ms(17, 0, 0, None), None);
        assert_eq!(next_attempt_ms(17, 0, 0, Some(1000)), None);
        assert_eq!(next_attempt_ms(0, 0, 0, None), None);
    }

    #[test]
    fn retry_after_is_respected_up_to_a_day() {
        let rows = [
            (1, None, 1800),
            (1, Some(0), 1800),
            (1, Some(-1), 1800),
            (1, Some(1000), 1800),
            (1, Some(60_000), 60_000),
            (1, Some(DAY_MS), DAY_MS),
            (1, Some(i64::MAX), DAY_MS),
            (16, Some(1000), 77_760_000),
        ];
        for (attempts, asked_ms, expected_ms) in rows {
            let next = next_attempt_ms(attempts, 7, 0, asked_ms);
            assert_eq!(next, Some(7 + expected_ms), "{attempts} {asked_ms:?}");
        }
    }
}
