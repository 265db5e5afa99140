//! Composition root: reads the words, loads the config, builds the adapters, runs one face. The
//! only place that names adapters and faces together.

mod lab_face;
mod logging;
mod screen_face;
mod signals;
mod wire;

use cockpit_cli::{Cli, Noun, Parsed, Screen, parse, refuse};
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use color_eyre::config::HookBuilder;
use futures_util::FutureExt;
use signals::Stops;
use std::io::Write;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::process::ExitCode;

fn main() -> ExitCode {
    report_panics();
    ExitCode::from(match parse(std::env::args_os()) {
        Parsed::Text(text) => {
            // A reader that is gone needs no help text.
            drop(std::io::stdout().write_all(text.as_bytes()));
            0
        }
        Parsed::Refused(failure, json) => refuse(&failure, json),
        Parsed::Run(cli) => {
            let json = cli.json;
            start(Face::Command(*cli)).unwrap_or_else(|failure| refuse(&failure, json))
        }
        Parsed::Screen(screen) => screen_face::wants_terminal()
            .and_then(|()| start(Face::Screen(screen)))
            .unwrap_or_else(|failure| refuse(&failure, false)),
    })
}

/// A defect of ours is told on standard error, as far as there is one: printing it must not end in a
/// second panic where the terminal is gone.
fn report_panics() {
    // Each only fails when it was done before.
    if let Ok((panics, errors)) = HookBuilder::default().try_into_hooks() {
        if errors.install().is_err() {
            tracing::debug!("reports were set up already");
        }
        std::panic::set_hook(Box::new(move |info| {
            drop(writeln!(std::io::stderr(), "{}", panics.panic_report(info)));
        }));
    }
}

/// What was asked for.
enum Face {
    Command(Cli),
    Screen(Screen),
}

/// Builds the runtime and runs the face in it.
fn start(face: Face) -> Outcome<u8> {
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        tracing::debug!("a crypto provider was installed already");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(FailureKind::Internal, format!("no runtime: {error}")))?;
    let code = runtime.block_on(async {
        let stops = Stops::default();
        let again = signals::watch(&stops)?;
        tokio::select! {
            code = serve(face, stops) => code,
            // A second request to stop does not wait for the step in flight; the journal knows.
            _ = again => Err(Failure::new(FailureKind::Cancelled, "stopped at once, in the middle of a step")
                .hint("`cockpit batch list` shows what was left; `batch resume` goes on")),
        }
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    code
}

async fn serve(face: Face, stops: Stops) -> Outcome<u8> {
    let stop = stops.stop;
    if let Face::Command(Cli {
        noun: Noun::Lab(cockpit_cli::Lab::Serve { dir }),
        ..
    }) = &face
    {
        return lab_face::serve(dir.clone(), stop).await;
    }
    let (wants_lab, config, may_lack) = match &face {
        Face::Command(cli) => (
            cli.lab || matches!(cli.noun, Noun::Drill(_)),
            cli.config.clone(),
            matches!(cli.noun, Noun::Pack(_)),
        ),
        Face::Screen(screen) => (screen.lab, screen.config.clone(), true),
    };
    let lab = if wants_lab {
        Some(lab_face::begin(None).await?)
    } else {
        None
    };
    let path = lab.as_ref().map(cockpit_lab::Lab::config_path).or(config);
    let ran = match wire::session(path.as_deref(), may_lack, stop.clone()) {
        Ok(wired) => {
            wired.session.handle.hangs_up_by(stops.hung_up);
            let running = AssertUnwindSafe(async {
                match face {
                    Face::Command(cli) => Ok(cockpit_cli::run(cli, &wired.session).await),
                    Face::Screen(_) => screen_face::run(&wired, lab.is_some(), stop).await,
                }
            });
            // A face that fails by a defect of ours still finishes the step in flight.
            let code = running.catch_unwind().await;
            wired.session.handle.close().await;
            code
        }
        Err(failure) => Ok(Err(failure)),
    };
    if let Some(lab) = lab {
        lab.shutdown().await;
    }
    ran.unwrap_or_else(|panic| resume_unwind(panic))
}
