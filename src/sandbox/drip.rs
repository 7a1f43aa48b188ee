//! Bodies that misbehave: far too long, one byte at a time, cut short, or small until they are unpacked.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame};
use tokio::time::{Sleep, sleep};

/// Bytes in one piece of a long body.
const PIECE_BYTES: u64 = 65_536;

/// A body made piece by piece.
pub(super) struct Drip {
    pieces: Box<dyn Iterator<Item = Bytes> + Send>,
    pause: Option<Duration>,
    sleeping: Option<Pin<Box<Sleep>>>,
    /// Whether the end is a broken connection instead of an end.
    breaks: bool,
}

impl Drip {
    /// `bytes` bytes of JSON text that never closes.
    pub(super) fn huge(bytes: u64) -> Self {
        let piece = Bytes::from(vec![b'['; PIECE_BYTES as usize]);
        let pieces = (0..bytes.div_ceil(PIECE_BYTES)).map(move |_| piece.clone());
        Self { pieces: Box::new(pieces), pause: None, sleeping: None, breaks: false }
    }

    /// A gzip stream that unpacks to `bytes` spaces.
    pub(super) fn gzip_bomb(bytes: u64) -> Self {
        Self { pieces: Box::new(Bomb::new(bytes)), pause: None, sleeping: None, breaks: false }
    }

    /// One byte, a pause of `millis`, the next byte.
    pub(super) fn slow(body: Vec<u8>, millis: u64) -> Self {
        let pieces = body.into_iter().map(|byte| Bytes::from(vec![byte]));
        Self { pieces: Box::new(pieces), pause: Some(Duration::from_millis(millis)), sleeping: None, breaks: false }
    }

    /// The first half, and then nothing but an end of the connection.
    pub(super) fn half(body: &[u8]) -> Self {
        let half = Bytes::copy_from_slice(&body[..body.len() / 2]);
        Self { pieces: Box::new(std::iter::once(half)), pause: None, sleeping: None, breaks: true }
    }
}

impl Body for Drip {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(sleeping) = &mut self.sleeping {
            ready!(sleeping.as_mut().poll(context));
        }
        self.sleeping = self.pause.map(|pause| Box::pin(sleep(pause)));
        match self.pieces.next() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None if self.breaks => Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
            None => Poll::Ready(None),
        }
    }
}

/// The pieces of a gzip stream (RFC 1951, 1952) of one literal and many copies of it: 13 bits for 258 bytes.
struct Bomb {
    bits: u64,
    bits_held: u32,
    matches_left: u64,
    stage: Stage,
}

enum Stage {
    Header,
    Copies,
    Over,
}

/// A copy of this many bytes is the longest there is.
const COPY_BYTES: u64 = 258;
/// Copies in one piece.
const COPIES_PER_PIECE: u64 = 4_096;

impl Bomb {
    const fn new(bytes: u64) -> Self {
        Self { bits: 0, bits_held: 0, matches_left: bytes / COPY_BYTES, stage: Stage::Header }
    }

    /// Adds the lowest `count` bits of `value`, lowest first.
    fn push(&mut self, value: u64, count: u32, out: &mut Vec<u8>) {
        self.bits |= value << self.bits_held;
        self.bits_held += count;
        while self.bits_held >= 8 {
            out.push((self.bits & 0xff) as u8);
            self.bits >>= 8;
            self.bits_held -= 8;
        }
    }

    fn header(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
        // The last block, with the fixed codes; then a space, whose code 01010000 goes in from its highest bit.
        self.push(0b011, 3, out);
        self.push(0b0000_1010, 8, out);
    }

    fn copies(&mut self, out: &mut Vec<u8>) {
        let now = self.matches_left.min(COPIES_PER_PIECE);
        for _ in 0..now {
            // Length 258 is symbol 285, code 11000101 from its highest bit; distance 1 is five zeros.
            self.push(0b1010_0011, 8, out);
            self.push(0, 5, out);
        }
        self.matches_left -= now;
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        // The end of the block is seven zeros; the checksum behind it is left wrong, since nobody should come so far.
        self.push(0, 7, out);
        self.push(0, 7, out);
        out.extend_from_slice(&[0; 8]);
    }
}

impl Iterator for Bomb {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let mut out = Vec::new();
        match self.stage {
            Stage::Header => {
                self.header(&mut out);
                self.stage = Stage::Copies;
            }
            Stage::Copies if self.matches_left > 0 => self.copies(&mut out),
            Stage::Copies => {
                self.end(&mut out);
                self.stage = Stage::Over;
            }
            Stage::Over => return None,
        }
        Some(out.into())
    }
}
