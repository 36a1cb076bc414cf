//! A firmware image: where its board keeps the pack, and what it takes.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use crate::board::{BOARDS, HARDWARE};
use object::{
    LittleEndian, Object, ObjectSection, ObjectSymbol, SectionFlags, elf, read::elf::ProgramHeader,
};

/// A firmware ELF file.
pub struct Image {
    path: PathBuf,
    elf: Vec<u8>,
    board: Option<String>,
    map: MemoryMap,
    sizes: Sizes,
}

/// The build script names the board by a symbol that begins so.
const BOARD_SYMBOL: &str = "__hrm_board_";

/// The folder, within cargo's target folder, in which `cargo xtask firmware` leaves the images.
pub const IMAGES: &str = "firmware-images";

/// Where the board keeps the pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackRegion {
    /// First address.
    pub start: u64,
    /// Length in bytes.
    pub bytes: u64,
}

/// The regions that the board's memory.x makes, by their addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryMap {
    /// Flash for the program.
    pub program: Range<u64>,
    /// Flash for the pack.
    pub pack: Range<u64>,
    /// RAM for the stack.
    pub stack: Range<u64>,
    /// RAM for everything else.
    pub ram: Range<u64>,
}

/// What an image takes, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Code, constants and initial values, in flash; without the pack.
    pub flash: u64,
    /// Static memory, workspace included.
    pub ram: u64,
    /// Of which the model's workspace.
    pub workspace: u64,
    /// Memory set aside for the stack.
    pub stack: u64,
}

/// Why a file is no firmware image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// It cannot be read.
    #[error(
        "cannot read the firmware {path}: {source}; build it with `{}`, or let HRM_FIRMWARE name the folder that has it",
        build_command(path)
    )]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is no ELF file.
    #[error("{path} is no ELF file: {source}")]
    Elf {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: object::Error,
    },
    /// A symbol of the linker script is missing.
    #[error("{path} is no HRM firmware: it has no symbol `{symbol}`, which every board's memory map defines")]
    Symbol {
        /// Which file.
        path: PathBuf,
        /// Which symbol.
        symbol: &'static str,
    },
}

fn read(path: &Path) -> Result<Vec<u8>, ImageError> {
    fs::read(path).map_err(|source| ImageError::Read { path: path.to_owned(), source })
}

fn parsed<'a>(path: &Path, elf: &'a [u8]) -> Result<object::File<'a>, ImageError> {
    object::File::parse(elf).map_err(|source| ImageError::Elf { path: path.to_owned(), source })
}

fn named(file: &object::File<'_>, prefix: &str) -> Vec<(String, u64)> {
    let named = file.symbols().filter_map(|symbol| Some((symbol.name().ok()?.to_owned(), symbol.address())));
    named.filter(|(name, _)| name.starts_with(prefix)).collect()
}

/// Names and addresses of the symbols that begin with `prefix`, of any ELF file.
///
/// # Errors
/// Where it cannot be read, or is none.
pub fn symbols_of(path: &Path, prefix: &str) -> Result<Vec<(String, u64)>, ImageError> {
    Ok(named(&parsed(path, &read(path)?)?, prefix))
}

impl Image {
    /// The image that `cargo xtask firmware` built as `name` (a board's name), found from the place of the
    /// running program, which lies in cargo's target folder too; `HRM_FIRMWARE` names another folder.
    pub fn built(name: &str) -> Result<Image, ImageError> {
        let program = std::env::current_exe().unwrap_or_default();
        let file = format!("{name}.elf");
        let found =
            program.ancestors().map(|folder| folder.join(IMAGES).join(&file)).find(|path| path.exists());
        match std::env::var_os("HRM_FIRMWARE") {
            Some(folder) => Image::open(Path::new(&folder).join(file)),
            None => Image::open(found.unwrap_or_else(|| Path::new("target").join(IMAGES).join(file))),
        }
    }

    /// Reads the image at `path`.
    pub fn open(path: impl Into<PathBuf>) -> Result<Image, ImageError> {
        let path = path.into();
        let elf = read(&path)?;
        let file = parsed(&path, &elf)?;
        let symbol = |symbol: &'static str| {
            let found = file.symbols().find(|s| s.name() == Ok(symbol));
            found.map(|s| s.address()).ok_or_else(|| ImageError::Symbol { path: path.clone(), symbol })
        };
        let map = MemoryMap {
            program: symbol("__program_start")?..symbol("__program_end")?,
            pack: symbol("__pack_start")?..symbol("__pack_end")?,
            // It grows downwards.
            stack: symbol("_stack_end")?..symbol("_stack_start")?,
            ram: symbol("__ram_start")?..symbol("__ram_end")?,
        };
        let sizes = Sizes { stack: length(&map.stack), ..sizes(&file) };
        let board = file.symbols().find_map(|s| s.name().ok()?.strip_prefix(BOARD_SYMBOL).map(str::to_owned));
        let board = board.map(|name| name.replace('_', "-"));
        Ok(Image { path, elf, board, map, sizes })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its bytes.
    pub fn elf(&self) -> &[u8] {
        &self.elf
    }

    /// The board that it was built for.
    pub fn board(&self) -> Option<String> {
        self.board.clone()
    }

    /// Flash set aside for the program.
    pub fn program_bytes(&self) -> u64 {
        length(&self.map.program)
    }

    /// The regions that its board's memory.x makes.
    pub fn memory_map(&self) -> MemoryMap {
        self.map.clone()
    }

    /// The addresses that its bytes are flashed to, initial values of variables included.
    pub fn segments(&self) -> Vec<Range<u64>> {
        self.loaded().into_iter().map(|(start, bytes)| start..start + bytes.len() as u64).collect()
    }

    /// What it is in flash, from its first byte to its last: the address of the first, and all of them. Gaps
    /// are filled with what erased flash holds.
    pub fn flashed(&self) -> (u64, Vec<u8>) {
        let loaded = self.loaded();
        let start = loaded.iter().map(|(start, _)| *start).min().unwrap_or(0);
        let end = loaded.iter().map(|(start, bytes)| start + bytes.len() as u64).max().unwrap_or(0);
        let mut flash = vec![0xFF; (end - start) as usize];
        for (address, bytes) in loaded {
            let from = (address - start) as usize;
            flash[from..from + bytes.len()].copy_from_slice(bytes);
        }
        (start, flash)
    }

    /// The parts that are loaded: where to, and their bytes.
    fn loaded(&self) -> Vec<(u64, &[u8])> {
        let file = object::read::elf::ElfFile32::<LittleEndian>::parse(&*self.elf);
        let headers = file.iter().flat_map(|file| file.elf_program_headers());
        let loaded = headers.filter(|header| header.p_type(LittleEndian) == elf::PT_LOAD);
        let parts = loaded.filter_map(|header| {
            Some((u64::from(header.p_paddr(LittleEndian)), header.data(LittleEndian, &*self.elf).ok()?))
        });
        parts.filter(|(_, bytes)| !bytes.is_empty()).collect()
    }

    /// Where the board keeps the pack, as the linker script says.
    pub fn pack_region(&self) -> PackRegion {
        PackRegion { start: self.map.pack.start, bytes: length(&self.map.pack) }
    }

    /// Names and addresses of the symbols that begin with `prefix`.
    pub fn symbols(&self, prefix: &str) -> Vec<(String, u64)> {
        object::File::parse(&*self.elf).map(|file| named(&file, prefix)).unwrap_or_default()
    }

    /// Bytes of the functions whose (mangled) names contain `part`.
    pub fn code_bytes(&self, part: &str) -> u64 {
        let file = object::File::parse(&*self.elf);
        let symbols = file.iter().flat_map(|file| file.symbols());
        let code = symbols.filter(|symbol| symbol.kind() == object::SymbolKind::Text);
        code.filter(|symbol| symbol.name().is_ok_and(|name| name.contains(part)))
            .map(|symbol| symbol.size())
            .sum()
    }

    /// What it takes.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }
}

/// What builds the image at `path`: that of one board, where its file has a board's name.
fn build_command(path: &Path) -> String {
    let boards = BOARDS.iter().map(|board| board.name).chain(HARDWARE.iter().map(|board| board.name));
    let named = boards.into_iter().find(|&name| path.file_stem().is_some_and(|stem| stem == name));
    named.map_or("cargo xtask firmware".to_owned(), |name| format!("cargo xtask firmware {name}"))
}

fn length(region: &Range<u64>) -> u64 {
    region.end.saturating_sub(region.start)
}

fn sizes(file: &object::File<'_>) -> Sizes {
    let mut sizes = Sizes::default();
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags } = section.flags() else { continue };
        if sh_flags & u64::from(elf::SHF_ALLOC) == 0 {
            continue;
        }
        let stored = !matches!(section.kind(), object::SectionKind::UninitializedData);
        if stored {
            sizes.flash += section.size();
        }
        if sh_flags & u64::from(elf::SHF_WRITE) != 0 {
            sizes.ram += section.size();
        }
    }
    let workspace = file.symbols().filter(|s| s.name().is_ok_and(|name| name.contains("WORKSPACE")));
    sizes.workspace = workspace.map(|s| s.size()).sum();
    sizes
}
