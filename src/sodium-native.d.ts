/**
 * The part of sodium-native 5 that `crypto.ts` uses. The package has no types, and those published
 * for it are of an older version without the incremental stream cipher.
 */
declare module 'sodium-native' {
  interface Sodium {
    readonly crypto_stream_xor_STATEBYTES: number
    randombytes_buf(out: Uint8Array): void
    sodium_memcmp(a: Uint8Array, b: Uint8Array): boolean
    crypto_generichash(out: Uint8Array, message: Uint8Array, key?: Uint8Array): void
    crypto_generichash_batch(out: Uint8Array, messages: Uint8Array[], key?: Uint8Array): void
    crypto_sign_keypair(publicKey: Uint8Array, secretKey: Uint8Array): void
    crypto_sign_seed_keypair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void
    crypto_sign_ed25519_sk_to_pk(publicKey: Uint8Array, secretKey: Uint8Array): void
    crypto_sign_detached(signature: Uint8Array, message: Uint8Array, secretKey: Uint8Array): void
    crypto_sign_verify_detached(
      signature: Uint8Array,
      message: Uint8Array,
      publicKey: Uint8Array,
    ): boolean
    crypto_scalarmult_base(publicKey: Uint8Array, secretKey: Uint8Array): void
    crypto_scalarmult(shared: Uint8Array, secretKey: Uint8Array, publicKey: Uint8Array): void
    crypto_aead_chacha20poly1305_ietf_encrypt(
      cipher: Uint8Array,
      message: Uint8Array,
      additionalData: Uint8Array | null,
      secretNonce: null,
      nonce: Uint8Array,
      key: Uint8Array,
    ): number
    crypto_aead_chacha20poly1305_ietf_decrypt(
      message: Uint8Array,
      secretNonce: null,
      cipher: Uint8Array,
      additionalData: Uint8Array | null,
      nonce: Uint8Array,
      key: Uint8Array,
    ): number
    crypto_stream_xor_init(state: Uint8Array, nonce: Uint8Array, key: Uint8Array): void
    crypto_stream_xor_update(state: Uint8Array, out: Uint8Array, input: Uint8Array): void
    crypto_shorthash(out: Uint8Array, message: Uint8Array, key: Uint8Array): void
  }
  const sodium: Sodium
  export default sodium
}
