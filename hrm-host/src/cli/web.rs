//! `hrm-host web`

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use anyhow::{Context, Result};
use hrm_host::files::{Signature, make_folder, name_of};
use hrm_host::quant::AlignedPack;
use hrm_web::{ENGINE, Pack, RELEASED, page, policy, serve};

use super::exit::Exit;
use super::outputs::Force;
use super::signals;
use super::values::from_0;

/// A page on which a pack is seen thinking, segment by segment, in any browser.
///
/// The page is one file with everything in it: it needs no network and asks nobody for anything.
/// With `--out` it is written to a folder and opened from there. Without, it is served to browsers
/// on this machine until Ctrl-C.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Packs that the page brings along, before the released ones
    #[arg(value_name = "PACK")]
    packs: Vec<PathBuf>,
    /// Write the page to this folder, as index.html; made where it does not exist
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Serve the page at this port; 0 takes any that is free
    #[arg(long, default_value_t = 0, value_parser = from_0::<u16>, value_name = "PORT", conflicts_with = "out")]
    port: u16,
    #[command(flatten)]
    force: Force,
}

/// A page that this program may write anew.
const PAGE: Signature<'static> = Signature::of_mark("a page of hrm-host");

/// Runs the subcommand.
pub(super) fn run(args: Args) -> Result<Exit> {
    let read = args.packs.iter().map(|path| Ok((name_of(path), AlignedPack::read(path)?)));
    let own = read.collect::<Result<Vec<_>>>()?;
    let own = own.iter().map(|(name, pack)| Pack { name, bytes: pack.bytes() });
    let page = page(ENGINE, &own.chain(RELEASED.iter().copied()).collect::<Vec<_>>());
    match &args.out {
        Some(folder) => {
            make_folder(folder)?;
            let output = args.force.plan(&args.packs).output(&folder.join("index.html"), PAGE)?;
            output.write(|file| file.write_all(page.as_bytes()))?;
            eprintln!("wrote {}: open it in a browser", output.shown());
        }
        None => {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).with_context(|| {
                format!(
                    "cannot serve at port {}; give another with --port, or 0 for any that is free",
                    args.port
                )
            })?;
            signals::on_stop(|_| std::process::exit(Exit::Interrupted.code().into()));
            println!("http://{}/", listener.local_addr()?);
            eprintln!("the page is there for browsers on this machine, until Ctrl-C");
            serve(&listener, page, &policy()).context("cannot take connections any more")?;
        }
    }
    Ok(Exit::Success)
}
