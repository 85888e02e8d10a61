//! One test body for SQLite and for Postgres.

/// Makes a test of each function on each database. The functions take a `TestGateway` by reference,
/// `with` other settings where a function for them is named first, or a fixture of the same three
/// methods: `on_sqlite`, `on_postgres` and `finish`.
macro_rules! on_both_databases {
    (@each $sqlite:expr, $postgres:expr, $($name:ident),*) => {
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $name() {
                    let mut fixture = $sqlite.await;
                    super::$name(&mut fixture).await;
                    fixture.finish().await;
                }
            )*
        }

        mod on_postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $name() {
                    let Some(mut fixture) = $postgres.await else {
                        return eprintln!("skipped without Postgres: {}", stringify!($name));
                    };
                    super::$name(&mut fixture).await;
                    fixture.finish().await;
                }
            )*
        }
    };
    (with $settings:ident: $($name:ident),* $(,)?) => {
        $crate::databases::on_both_databases! {
            @each
            harness::gateway::TestGateway::with(super::$settings),
            harness::gateway::TestGateway::on_postgres_with(super::$settings),
            $($name),*
        }
    };
    ($fixture:ident: $($name:ident),* $(,)?) => {
        $crate::databases::on_both_databases! {
            @each super::$fixture::on_sqlite(), super::$fixture::on_postgres(), $($name),*
        }
    };
    ($($name:ident),* $(,)?) => {
        $crate::databases::on_both_databases! {
            @each
            harness::gateway::TestGateway::start(),
            harness::gateway::TestGateway::on_postgres(),
            $($name),*
        }
    };
}

pub(crate) use on_both_databases;
