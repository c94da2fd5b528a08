//! SHA-1 (RFC 3174) under HMAC (RFC 2104), for a tool that signs so: of the broken hash that construction is not broken.
//!
//! Refused: a crate for it, for sixty lines that are never changed.
//!
//! **Invariant:** nothing else is hashed with it.

use subtle::ConstantTimeEq;

const BLOCK_BYTES: usize = 64;
const HASH_BYTES: usize = 20;

/// Whether `mac` is the HMAC-SHA1 of a text under a key, in constant time.
pub fn is_mac(key: &[u8], text: &[u8], mac: &[u8]) -> bool {
    mac.len() == HASH_BYTES && bool::from(hmac(key, text).ct_eq(mac))
}

/// HMAC-SHA1.
pub fn hmac(key: &[u8], text: &[u8]) -> [u8; HASH_BYTES] {
    let mut block = [0_u8; BLOCK_BYTES];
    if key.len() > BLOCK_BYTES {
        block[..HASH_BYTES].copy_from_slice(&sha1(&[key]));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = block.map(|byte| byte ^ 0x36);
    let outer = block.map(|byte| byte ^ 0x5c);
    sha1(&[&outer, &sha1(&[&inner, text])])
}

fn sha1(parts: &[&[u8]]) -> [u8; HASH_BYTES] {
    let mut text = parts.concat();
    let bits = (text.len() as u64).wrapping_mul(8);
    text.push(0x80);
    while text.len() % BLOCK_BYTES != BLOCK_BYTES - 8 {
        text.push(0);
    }
    text.extend_from_slice(&bits.to_be_bytes());
    let mut state: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    text.chunks_exact(BLOCK_BYTES).for_each(|block| mix(&mut state, block));
    let mut hash = [0; HASH_BYTES];
    for (part, word) in hash.chunks_exact_mut(4).zip(state) {
        part.copy_from_slice(&word.to_be_bytes());
    }
    hash
}

fn mix(state: &mut [u32; 5], block: &[u8]) {
    let mut words = [0_u32; 80];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    for n in 16..80 {
        words[n] = (words[n - 3] ^ words[n - 8] ^ words[n - 14] ^ words[n - 16]).rotate_left(1);
    }
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for (n, word) in words.into_iter().enumerate() {
        let (f, k) = match n {
            0..20 => ((b & c) | (!b & d), 0x5a82_7999),
            20..40 => (b ^ c ^ d, 0x6ed9_eba1),
            40..60 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6_u32),
        };
        let next = a.rotate_left(5).wrapping_add(f).wrapping_add(e).wrapping_add(k).wrapping_add(word);
        (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
    }
    for (word, more) in state.iter_mut().zip([a, b, c, d, e]) {
        *word = word.wrapping_add(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_standards() {
        let million = vec![b'a'; 1_000_000];
        let hashes: [(&[u8], &str); 4] = [
            (b"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            (b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
            (&million, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"),
        ];
        for (text, expected) in hashes {
            assert_eq!(hex::encode(sha1(&[text])), expected);
        }
        // RFC 2202, cases 1, 2 and 6; then Zammad's form.
        let long_key = [0xaa; 80];
        let macs: [(&[u8], &[u8], &str); 4] = [
            (&[0x0b; 20], b"Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"),
            (b"Jefe", b"what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (
                &long_key,
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "aa4ae5e15272d00e95705637ce8a3b55ed402112",
            ),
            (b"secret", br#"{"ticket":{"id":81},"article":{"id":104}}"#, "59e07af6237794d368b748e18b9fbb475e2a75fb"),
        ];
        for (key, text, expected) in macs {
            assert_eq!(hex::encode(hmac(key, text)), expected);
            assert!(is_mac(key, text, &hex::decode(expected).unwrap()));
            assert!(!is_mac(key, text, &hex::decode(expected).unwrap()[..19]));
        }
    }
}
