//! What may be chosen on the command line.

/// How much is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// Payments in the database before the second measurement; 0 leaves it out.
    pub(crate) large: u64,
    /// Payments in one round of one number of clients.
    pub(crate) payments: usize,
    /// Subscriptions, a fifth of which renew in one moment; 0 leaves it out.
    pub(crate) subscriptions: usize,
    /// Rounds, of which the median counts.
    pub(crate) rounds: usize,
    /// Whether the form is timed in Chromium, when there is one.
    pub(crate) browser: bool,
    /// Whether Postgres is measured, when there is one.
    pub(crate) postgres: bool,
}

const USAGE: &str = "usage: bench [--stored N] [--payments N] [--rounds N] \
                     [--subscriptions N] [--no-browser] [--no-postgres]";

impl Options {
    pub(crate) fn read(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            large: 100_000,
            payments: 4000,
            subscriptions: 100_000,
            rounds: 3,
            browser: true,
            postgres: true,
        };
        let mut words = words;
        while let Some(word) = words.next() {
            let mut number = || {
                let text = words
                    .next()
                    .ok_or_else(|| format!("{word} needs a number"))?;
                text.parse::<u64>()
                    .map_err(|_| format!("{text} is not a number"))
            };
            let positive = |number: Result<u64, String>| {
                let number = usize::try_from(number?).unwrap_or(0);
                if number == 0 {
                    Err(format!("{word} must be 1 or more"))
                } else {
                    Ok(number)
                }
            };
            match word.as_str() {
                "--stored" => options.large = number()?,
                "--payments" => options.payments = positive(number())?,
                "--subscriptions" => {
                    options.subscriptions = usize::try_from(number()?).unwrap_or(usize::MAX);
                }
                "--rounds" => options.rounds = positive(number())?,
                "--no-browser" => options.browser = false,
                "--no-postgres" => options.postgres = false,
                _ => return Err(format!("{word} is not known; {USAGE}")),
            }
        }
        Ok(options)
    }

    /// How full the databases are that are measured.
    pub(crate) fn stored(&self) -> impl Iterator<Item = u64> {
        std::iter::once(0).chain((self.large > 0).then_some(self.large))
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    fn read(text: &str) -> Result<Options, String> {
        Options::read(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_read_or_refused_in_a_sentence() {
        let chosen = read(
            "--stored 0 --payments 10 --rounds 1 --subscriptions 0 --no-browser --no-postgres",
        )
        .unwrap();
        let expected = Options {
            large: 0,
            payments: 10,
            subscriptions: 0,
            rounds: 1,
            browser: false,
            postgres: false,
        };
        assert_eq!(chosen, expected);
        assert_eq!(chosen.stored().collect::<Vec<_>>(), [0]);
        assert_eq!(read("").unwrap().stored().count(), 2);
        let rows = [
            ("--stored", "--stored needs a number"),
            ("--stored many", "many is not a number"),
            ("--rounds 0", "--rounds must be 1 or more"),
            ("--quick", "--quick is not known"),
        ];
        for (words, sentence) in rows {
            assert!(read(words).unwrap_err().starts_with(sentence), "{words}");
        }
    }
}
