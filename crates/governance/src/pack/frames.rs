//! The compressed file: zstd frames (RFC 8878) of equal content, then a skippable frame with the SHA-256 of all bytes before it.
//!
//! Compression has many spellings of one content, so the content's digests cannot show that the file itself is unaltered; the seal does.
//! Stock tools pass over it.

use agenttrader_core::digest::{Digest, Running};
use ruzstd::decoding::StreamingDecoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom, Take, Write};

/// Bytes of content in each frame but the last.
pub(super) const FRAME_BYTES: usize = 4 << 20;

/// Bytes of the largest window a frame may ask memory for.
const WINDOW_MOST: u64 = 8 << 20;

/// What a seal begins with: the magic number of a skippable frame, the number of bytes that follow, and whose it is.
const SEAL_START: [u8; 24] = *b"\x50\x2a\x4d\x18\x30\x00\x00\x00audit-pack-seal\n";

/// Bytes of a seal.
pub(super) const SEAL_BYTES: u64 = SEAL_START.len() as u64 + 32;

/// Compresses what is written, frame by frame.
pub(super) struct FrameWriter<W> {
    out: W,
    waiting: Vec<u8>,
    running: Running,
    bytes: u64,
}

/// A file as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    /// SHA-256 of the whole file.
    pub(super) sha256: Digest,
    /// Its bytes.
    pub(super) bytes: u64,
}

impl<W: Write> FrameWriter<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, waiting: Vec::with_capacity(FRAME_BYTES), running: Running::default(), bytes: 0 }
    }

    /// Takes content in.
    pub(super) fn write(&mut self, mut content: &[u8]) -> io::Result<()> {
        while !content.is_empty() {
            let room = FRAME_BYTES.saturating_sub(self.waiting.len()).min(content.len());
            let (now, later) = content.split_at(room);
            self.waiting.extend_from_slice(now);
            content = later;
            if self.waiting.len() == FRAME_BYTES {
                self.frame()?;
            }
        }
        Ok(())
    }

    /// Writes the last frame and the seal.
    pub(super) fn finish(mut self) -> io::Result<(W, Sealed)> {
        if !self.waiting.is_empty() {
            self.frame()?;
        }
        let digest = self.running.so_far();
        self.put(&SEAL_START)?;
        self.put(digest.as_bytes())?;
        self.out.flush()?;
        Ok((self.out, Sealed { sha256: self.running.so_far(), bytes: self.bytes }))
    }

    fn frame(&mut self) -> io::Result<()> {
        let frame = compress_to_vec(self.waiting.as_slice(), CompressionLevel::Fastest);
        self.waiting.clear();
        self.put(&frame)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.running.update(bytes);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        self.out.write_all(bytes)
    }
}

/// Reads a whole file through and looks at its seal. Gives the file as it is, where its frames end, and whether the seal is good.
pub(super) fn check_seal(file: &mut File) -> io::Result<(Sealed, u64, bool)> {
    let bytes = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    let content = bytes.saturating_sub(SEAL_BYTES);
    let mut running = Running::default();
    hash(&mut (&mut *file).take(content), &mut running)?;
    let before = running.so_far();
    let mut seal = Vec::new();
    file.take(SEAL_BYTES).read_to_end(&mut seal)?;
    running.update(&seal);
    let good = bytes > SEAL_BYTES && seal == [&SEAL_START[..], before.as_bytes()].concat();
    // Without a seal the frames go up to the end, and are read for what they hold.
    let frames = if seal.starts_with(&SEAL_START) { content } else { bytes };
    Ok((Sealed { sha256: running.so_far(), bytes }, frames, good))
}

fn hash(from: &mut impl io::Read, running: &mut Running) -> io::Result<()> {
    let mut buffer = vec![0_u8; 1 << 16];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(got) => running.update(buffer.get(..got).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Decompresses frame by frame.
pub(super) struct FrameReader {
    source: BufReader<Take<File>>,
    last: bool,
}

/// Why there is no next frame.
#[derive(Debug)]
pub(super) enum FrameError {
    /// The system's refusal.
    Io(io::Error),
    /// The bytes are no frame of a pack.
    Form(String),
}

impl FrameReader {
    /// The frames of the first `bytes` bytes.
    pub(super) fn new(mut file: File, bytes: u64) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        Ok(Self { source: BufReader::with_capacity(1 << 16, file.take(bytes)), last: false })
    }

    /// The next frame's content; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, FrameError> {
        if self.source.fill_buf().map_err(FrameError::Io)?.is_empty() {
            return Ok(None);
        }
        if self.last {
            return Err(FrameError::Form("something follows the last frame".to_owned()));
        }
        let form = |error: &dyn std::error::Error| FrameError::Form(agenttrader_core::error_chain::chain(error));
        let mut decoder =
            StreamingDecoder::new_with_max_window_size(&mut self.source, WINDOW_MOST).map_err(|error| form(&error))?;
        let mut content = Vec::new();
        (&mut decoder).take(FRAME_BYTES as u64 + 1).read_to_end(&mut content).map_err(|error| form(&error))?;
        let decoder = decoder.into_frame_decoder();
        if content.len() > FRAME_BYTES || !decoder.is_finished() {
            return Err(FrameError::Form("a frame is longer than those of packs".to_owned()));
        }
        let checksums = decoder.get_checksum_from_data().zip(decoder.get_calculated_checksum());
        if checksums.is_none_or(|(found, computed)| found != computed) {
            return Err(FrameError::Form("a frame's checksum is missing or differs".to_owned()));
        }
        self.last = content.len() < FRAME_BYTES;
        Ok(Some(content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(content: &[u8]) -> (File, Sealed) {
        let mut writer = FrameWriter::new(tempfile::tempfile().unwrap());
        for part in content.chunks(1_000_003) {
            writer.write(part).unwrap();
        }
        writer.finish().unwrap()
    }

    fn read(file: File, bytes: u64) -> Result<Vec<u8>, FrameError> {
        let mut reader = FrameReader::new(file, bytes).unwrap();
        let mut content = Vec::new();
        while let Some(frame) = reader.next()? {
            content.extend(frame);
        }
        Ok(content)
    }

    #[test]
    fn content_of_any_length_comes_back_and_the_seal_is_good() {
        for len in [0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1] {
            let content: Vec<u8> = (0..len).map(|at| (at / 7 % 251) as u8 ^ (at % 3) as u8).collect();
            let (mut file, sealed) = written(&content);
            let (found, frames, good) = check_seal(&mut file).unwrap();
            assert!((found, frames, good) == (sealed, sealed.bytes - SEAL_BYTES, len > 0), "{len}");
            assert!(read(file, frames).unwrap() == content, "{len}");
        }
    }

    #[test]
    fn any_flipped_bit_breaks_the_seal() {
        let (mut file, sealed) = written(b"one frame and nothing else");
        for bit in 0..sealed.bytes * 8 {
            let flip = |file: &mut File| {
                let mut byte = [0_u8];
                file.seek(SeekFrom::Start(bit / 8)).unwrap();
                file.read_exact(&mut byte).unwrap();
                file.seek(SeekFrom::Start(bit / 8)).unwrap();
                file.write_all(&[byte[0] ^ (1 << (bit % 8))]).unwrap();
            };
            flip(&mut file);
            assert!(!check_seal(&mut file).unwrap().2, "bit {bit}");
            flip(&mut file);
        }
        assert!(check_seal(&mut file).unwrap().2);
    }
}
