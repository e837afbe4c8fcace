//! The memory of a tier: what a block holds can be told from its hash, so that a copy of the wrong block shows.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Mutex;

use kvbm_logical::SequenceHash;

/// Bytes of a block.
pub const BLOCK_BYTES: usize = 512;

/// One block's content.
pub type Content = [u8; BLOCK_BYTES];

/// Where a tier keeps its blocks.
pub enum Arena {
    /// Memory, a lock for each block: only the holder of a slot writes it.
    Memory(Vec<Mutex<Content>>),
    /// A file without a name.
    Disk(File),
}

impl Arena {
    /// Zeroed memory.
    pub fn memory(blocks: usize) -> Self {
        Self::Memory((0..blocks).map(|_| Mutex::new([0; BLOCK_BYTES])).collect())
    }

    /// A sparse file.
    ///
    /// # Errors
    ///
    /// If there is no room for temporary files.
    pub fn disk(blocks: usize) -> std::io::Result<Self> {
        let file = tempfile::tempfile()?;
        file.set_len((blocks * BLOCK_BYTES) as u64)?;
        Ok(Self::Disk(file))
    }

    /// What stands in a slot.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn read(&self, block: usize) -> std::io::Result<Content> {
        match self {
            Self::Memory(blocks) => Ok(*blocks[block].lock().unwrap()),
            Self::Disk(file) => {
                let mut content = [0; BLOCK_BYTES];
                file.read_exact_at(&mut content, (block * BLOCK_BYTES) as u64)?;
                Ok(content)
            }
        }
    }

    /// Fill a slot.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write(&self, block: usize, content: &Content) -> std::io::Result<()> {
        match self {
            Self::Memory(blocks) => *blocks[block].lock().unwrap() = *content,
            Self::Disk(file) => file.write_all_at(content, (block * BLOCK_BYTES) as u64)?,
        }
        Ok(())
    }
}

/// What the block with this hash holds.
pub fn content_of(hash: SequenceHash) -> Content {
    let word = hash.as_u128().to_le_bytes();
    std::array::from_fn(|at| word[at % word.len()])
}
