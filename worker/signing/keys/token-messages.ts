/** Which key of which token; what RFC 7512 lets match. */
export interface TokenKeyQuery {
  readonly token?: string;
  readonly serial?: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly slotId?: number;
  readonly object?: string;
  /** Hex. */
  readonly id?: string;
}

/** What the process that holds the module is asked. */
export type TokenRequest =
  | { readonly id: number; readonly ask: 'open'; readonly key: TokenKeyQuery; readonly pin?: string }
  | { readonly id: number; readonly ask: 'sign'; readonly handle: number; readonly digest: string };

/** The public half of a key, as the token tells it; bytes in base64. */
export type TokenPublicKey =
  | { readonly kind: 'ec'; readonly parameters: string; readonly point: string }
  | { readonly kind: 'rsa'; readonly modulus: string; readonly exponent: string }
  | { readonly kind: 'certificate'; readonly der: string };

export type TokenFailure =
  | 'binding'
  | 'module'
  | 'no-token'
  | 'several-tokens'
  | 'no-key'
  | 'several-keys'
  | 'no-public-key'
  | 'pin-missing'
  | 'pin-wrong'
  | 'pin-locked'
  | 'refused'
  | 'lost';

export type TokenAnswer =
  | {
      readonly id: number;
      readonly ok: true;
      readonly opened: { readonly handle: number; readonly key: TokenPublicKey };
    }
  | { readonly id: number; readonly ok: true; readonly signature: string }
  /** `name` is the PKCS #11 return value or what was found instead; it holds no secret. */
  | { readonly id: number; readonly ok: false; readonly failure: TokenFailure; readonly name: string };
