use super::{HOSTILE, hostile, story};
use crate::settlements::report::csv::{COLUMNS, harmless, write};

/// A strict parser of comma-separated values (RFC 4180).
fn read(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut characters = text.chars().peekable();
    let mut is_quoted = false;
    while let Some(character) = characters.next() {
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' if is_quoted => {
                is_quoted = false;
                assert!(
                    matches!(characters.peek(), Some(',' | '\r')),
                    "text after a quoted cell"
                );
            }
            '"' => {
                assert!(cell.is_empty(), "a quotation mark within a bare cell");
                is_quoted = true;
            }
            ',' if !is_quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !is_quoted => {
                assert_eq!(characters.next(), Some('\n'), "a bare CR");
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            '\n' if !is_quoted => panic!("a bare LF"),
            _ => cell.push(character),
        }
    }
    assert!(
        !is_quoted && cell.is_empty() && row.is_empty(),
        "the last row has no end"
    );
    rows
}

fn cell<'a>(row: &'a [String], column: &str) -> &'a str {
    &row[COLUMNS.iter().position(|name| *name == column).unwrap()]
}

fn number(row: &[String], column: &str) -> i64 {
    cell(row, column).parse().unwrap()
}

fn plain(cell: &str) -> &str {
    cell.strip_prefix('\'').unwrap_or(cell)
}

#[test]
fn totals_of_csv_reports_add_up() {
    for seed in 0..60 {
        let story = story(seed);
        let rows = read(&write(&story.statement()));
        assert!(
            rows.iter().all(|row| row.len() == COLUMNS.len()),
            "seed {seed}"
        );
        assert_eq!(rows[0], COLUMNS);
        let (lines, trailer) = (&rows[1..rows.len() - 1], rows.last().unwrap());
        assert!(lines.iter().all(|row| row[0] == "line") && trailer[0] == "trailer");
        assert_eq!(
            number(trailer, "lines"),
            i64::try_from(lines.len()).unwrap()
        );
        let amounts = [
            "gross_minor",
            "interchange_minor",
            "scheme_minor",
            "processor_minor",
        ];
        for column in amounts.into_iter().chain(["fee_minor", "net_minor"]) {
            let sum: i64 = lines.iter().map(|row| number(row, column)).sum();
            assert_eq!(sum, number(trailer, column), "seed {seed}, {column}");
        }
        for row in lines.iter().chain([trailer]) {
            let fees = amounts[1..]
                .iter()
                .map(|column| number(row, column))
                .sum::<i64>();
            assert_eq!(number(row, "fee_minor"), fees);
            assert_eq!(number(row, "gross_minor") - fees, number(row, "net_minor"));
            let exponent = i64::from(story.settlement.currency.exponent());
            assert_eq!(number(row, "exponent"), exponent);
        }
        let [brought_forward, carried_forward, payout] = [
            "brought_forward_minor",
            "carried_forward_minor",
            "payout_minor",
        ]
        .map(|c| number(trailer, c));
        let net = number(trailer, "net_minor");
        assert_eq!(
            net + brought_forward,
            payout + carried_forward,
            "seed {seed}"
        );
    }
}

#[test]
fn hostile_references_round_trip_and_are_no_formulas() {
    let story = hostile();
    let rows = read(&write(&story.statement()));
    for (row, expected) in rows[1..].iter().zip(HOSTILE) {
        let found = cell(row, "order_ref");
        assert_eq!(plain(found), expected);
        let first = found.trim_start().chars().next();
        assert!(
            !first.is_some_and(|c| "=+-@＝＋－＠".contains(c)),
            "{found:?}"
        );
        assert_eq!(plain(cell(row, "merchant_name")), story.merchant_name);
    }
    assert_eq!(rows.len(), HOSTILE.len() + 2);
}

#[test]
fn apostrophe_prefixes_are_reversible() {
    let rows = [
        ("", ""),
        ("A-1", "A-1"),
        ("1=1", "1=1"),
        ("=1", "'=1"),
        ("-1", "'-1"),
        ("+1", "'+1"),
        ("@a", "'@a"),
        ("  =1", "'  =1"),
        ("'a", "''a"),
        ("'=1", "''=1"),
        ("\rx", "'\rx"),
    ];
    for (text, expected) in rows {
        assert_eq!(harmless(text), expected);
    }
}

#[test]
fn negative_numbers_stay_numbers() {
    let rows = read(&write(&story(3).statement()));
    let trailer = rows.last().unwrap();
    assert_eq!(rows[0].len(), COLUMNS.len());
    assert_eq!(cell(trailer, "livemode"), "false");
    let found = rows[1..]
        .iter()
        .filter(|row| cell(row, "gross_minor").starts_with('-'))
        .count();
    assert!(found > 0, "the story has a line below nothing");
    assert_eq!(cell(trailer, "sha256").len(), 64);
    assert_eq!(cell(trailer, "time_zone"), "America/New_York");
}
