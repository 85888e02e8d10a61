//! Builds everything, starts the verifier and the shop, and stops them when asked.

mod data;
mod options;

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

pub(crate) use self::options::Options;

use crate::console;
use crate::environment::{self, Stopwatch};
use crate::failure::{Failure, Outcome};
use crate::process;
use crate::servers::Server;
use crate::tools;
use crate::widget;
use crate::workspace::Workspace;

/// Ada Approved's (docs/reference/test-cards.md).
const TEST_CARD: &str = "4242 4242 4242 4242";
const GLANCE: Duration = Duration::from_millis(100);
/// A development build that reads its database from a slow disk may take seconds.
const STARTING: Duration = Duration::from_secs(30);

/// Runs until Ctrl-C.
///
/// # Errors
/// When something cannot be built or started, or a server ends by itself.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome {
    let watch = Stopwatch::start();
    require_free_port(options.verifier_port, "--verifier-port")?;
    require_free_port(options.control_port, "--control-port")?;
    require_free_port(options.shop_port, "--shop-port")?;
    let data = workspace.root().join(&options.data);
    data::prepare_folder(&data, options)?;
    build_all(workspace)?;
    data::register_shop(workspace, &data, options)?;
    let merchant = data::merchant_id(&data)?;

    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])
        .map_err(|error| Failure::because("Ctrl-C cannot be listened for", error))?;
    let mut servers = Vec::new();
    let outcome =
        start_servers(workspace, &data, options, &mut servers, &mut signals).and_then(|stopped| {
            match stopped {
                Stopped::Yes => Ok(()),
                Stopped::No => {
                    let started = environment::in_words(watch.elapsed());
                    println!("{}", announcement(options, &data, &merchant, &started));
                    watch_until_stopped(&mut servers, &mut signals)
                }
            }
        });
    stop_all(servers, &mut signals);
    outcome
}

/// Whether somebody asked to stop.
enum Stopped {
    Yes,
    No,
}

fn require_free_port(port: u16, option: &str) -> Outcome {
    // `localhost` is the IPv6 loopback for some browsers; somebody else there would answer in our place.
    for address in [
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ] {
        match TcpListener::bind((address, port)) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                return Err(Failure::new(format!(
                    "Port {port} is in use by another program, perhaps by another demo. Stop that one, or \
                     choose another port with `cargo xtask demo {option} {}`.",
                    port.checked_add(1).unwrap_or(1024)
                )));
            }
            Err(error) if address.is_ipv4() => {
                return Err(Failure::because(
                    format!("Port {port} cannot be opened"),
                    error,
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The widget beside the servers: each alone leaves a core idle for minutes.
fn build_all(workspace: &Workspace) -> Outcome {
    thread::scope(|scope| {
        let servers = scope.spawn(|| build_servers(workspace));
        let widget = tools::install_target(workspace).and_then(|()| widget::build(workspace));
        if let Err(failure) = &widget {
            console::loud(&failure.to_string());
        }
        let servers = servers
            .join()
            .unwrap_or_else(|_| Err(Failure::new("The servers' build was interrupted.")));
        widget.and(servers)
    })
}

/// Chosen from the whole workspace, as the tests do: another choice of packages is another choice of
/// features, and everything would be compiled twice.
fn build_servers(workspace: &Workspace) -> Outcome {
    let command = workspace.cargo(&[
        "build",
        "--workspace",
        "--bin",
        "verifier-server",
        "--bin",
        "shop",
        "--bin",
        widget::BINDGEN,
    ]);
    console::heading("Building the verifier and the shop");
    process::run("servers", command)
}

fn start_servers(
    workspace: &Workspace,
    data: &Path,
    options: &Options,
    servers: &mut Vec<Server>,
    signals: &mut Signals,
) -> Result<Stopped, Failure> {
    console::heading("Starting");
    let mut verifier = workspace.command(workspace.built("verifier-server"));
    verifier
        .arg("serve")
        .arg("--data")
        .arg(data)
        .args(["--listen", &format!("127.0.0.1:{}", options.verifier_port)])
        .args(["--public-origin", &options.verifier_origin()])
        .arg("--test-mode")
        .args([
            "--control-listen",
            &format!("127.0.0.1:{}", options.control_port),
        ])
        .arg("--widget-dir")
        .arg(workspace.dist())
        // The shop is on this very machine, where webhooks do not go unless they are allowed to.
        .args([
            "--webhook-allow",
            "127.0.0.0/8",
            "--webhook-allow",
            "::1/128",
        ])
        .arg("--webhook-allow-http");
    servers.push(Server::start("verifier", verifier)?);
    if let Stopped::Yes = wait_until_listening(servers, options.verifier_port, signals)? {
        return Ok(Stopped::Yes);
    }
    let mut shop = workspace.command(workspace.built("shop"));
    shop.arg("serve")
        .arg("--data")
        .arg(data.join("shop"))
        .args(["--listen", &format!("127.0.0.1:{}", options.shop_port)])
        .args(["--public-origin", &options.shop_origin()])
        .args(["--verifier", &options.verifier_origin()])
        .args(["--verifier-control", &options.control_origin()]);
    servers.push(Server::start("shop", shop)?);
    wait_until_listening(servers, options.shop_port, signals)
}

fn wait_until_listening(
    servers: &mut [Server],
    port: u16,
    signals: &mut Signals,
) -> Result<Stopped, Failure> {
    let watch = Stopwatch::start();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    while TcpStream::connect_timeout(&address, GLANCE).is_err() {
        for server in servers.iter_mut() {
            server.check()?;
        }
        if signals.pending().next().is_some() {
            return Ok(Stopped::Yes);
        }
        if watch.elapsed() > STARTING {
            return Err(Failure::new(format!(
                "The server on port {port} did not answer within {} seconds. Its lines above may tell why.",
                STARTING.as_secs()
            )));
        }
        thread::sleep(GLANCE);
    }
    Ok(Stopped::No)
}

/// Where everything is. Secrets stay in their file.
fn announcement(options: &Options, data: &Path, merchant: &str, started: &str) -> String {
    format!(
        "\n  The shop       {}\n  The verifier   {}\n  Test controls  {}/sim\n  \
         A test card    {TEST_CARD}, any future expiry date, any security code\n  \
         The merchant   {merchant}\n  Its API key    `api_key` in {}\n  The data       {}\n\n  \
         Ready after {started}. Ctrl-C stops both; the data stays.\n",
        options.shop_origin(),
        options.verifier_origin(),
        options.control_origin(),
        data::merchant_file(data).display(),
        data.display(),
    )
}

fn watch_until_stopped(servers: &mut [Server], signals: &mut Signals) -> Outcome {
    loop {
        if signals.pending().next().is_some() {
            return Ok(());
        }
        for server in servers.iter_mut() {
            server.check()?;
        }
        thread::sleep(GLANCE);
    }
}

/// The shop first: it may still be asking the verifier. A second Ctrl-C does not wait.
fn stop_all(mut servers: Vec<Server>, signals: &mut Signals) {
    console::heading("Stopping");
    while let Some(mut server) = servers.pop() {
        server.ask_to_stop();
        server.wait_or_kill(|| signals.pending().next().is_some());
    }
    console::note("Stopped.");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_announcement_names_the_merchant_and_the_file_with_its_api_key() {
        let options = Options::parse(&[]).expect("defaults");
        let text = announcement(&options, Path::new("demo-data"), "mer_1", "two minutes");
        for part in [
            "http://127.0.0.1:4242",
            "http://localhost:8788/sim",
            "mer_1",
            "demo-data/shop/merchant.json",
            "Ready after two minutes.",
        ] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
    }

    #[test]
    fn a_port_in_use_is_told_with_what_to_do() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let sentence = require_free_port(port, "--shop-port")
            .expect_err("in use")
            .to_string();
        assert!(
            sentence.contains(&format!("Port {port} is in use")),
            "{sentence}"
        );
        assert!(
            sentence.contains("cargo xtask demo --shop-port"),
            "{sentence}"
        );
        drop(listener);
        assert_eq!(require_free_port(port, "--shop-port"), Ok(()));
    }
}
