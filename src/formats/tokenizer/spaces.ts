import { PithError } from '../../util/errors.ts';
import type { Component, TokenizerJson } from './tokenizer-json.ts';

/** How an SPM-style tokenizer.json treats spaces. */
export interface SpaceRules {
  /** A space goes before the text. */
  readonly addPrefix: boolean;
  /** Runs of spaces count as one. */
  readonly collapse: boolean;
  /** Deviations of llama.cpp that follow from the rules. */
  readonly notes: readonly string[];
  /** Compiled normalization rules of SentencePiece. */
  readonly precompiledCharsmap: Uint8Array;
}

interface Found {
  addPrefix: boolean;
  collapse: boolean;
  precompiledCharsmap: Uint8Array;
  readonly notes: string[];
}

type Reader = (component: Component, found: Found) => void;

const nothing: Reader = () => undefined;

const readers: Record<string, Reader> = {
  Prepend: (component, found) => {
    if (component['prepend'] === '▁') found.addPrefix = true;
    else throw unsupported(component);
  },
  Replace: (component, found) => {
    const pattern = component['pattern'] as Record<string, unknown> | undefined;
    const regex = pattern?.['Regex'];
    if (pattern?.['String'] === ' ' && component['content'] === '▁') return;
    if (typeof regex === 'string' && /^ (?:\{2,\}|\+)$/.test(regex)) found.collapse = true;
    else throw unsupported(component);
  },
  Precompiled: (component, found) => {
    const base64 = component['precompiled_charsmap'];
    if (typeof base64 === 'string' && base64) found.precompiledCharsmap = fromBase64(base64);
  },
  Strip: nothing,
  Metaspace: (component, found) => {
    const scheme = component['prepend_scheme'];
    found.addPrefix =
      scheme === undefined ? component['add_prefix_space'] !== false : scheme !== 'never';
    if (scheme === 'first')
      found.notes.push(
        'llama.cpp also puts a space after a special token, where this tokenizer does not.',
      );
  },
  WhitespaceSplit: (_, found) => {
    found.collapse = true;
  },
  Split: (component) => {
    const pattern = component['pattern'] as Record<string, unknown> | undefined;
    if (pattern?.['String'] !== ' ') throw unsupported(component);
  },
  NFKC: (_, found) => {
    found.notes.push(
      'llama.cpp does not normalize text to NFKC: text in another form gets other ids.',
    );
  },
};

/**
 * Reads the normalizer and pre-tokenizer of a tokenizer.json that was made from SentencePiece.
 *
 * A Split at " " after every space became "▁" never matches, so it is passed over (gemma).
 *
 * @throws {@link PithError} `unsupported` for a step that llama.cpp has no counterpart of.
 */
export function readSpaceRules(tokenizer: TokenizerJson): SpaceRules {
  const found: Found = {
    addPrefix: false,
    collapse: false,
    precompiledCharsmap: new Uint8Array(),
    notes: [],
  };
  for (const component of [...tokenizer.normalizers, ...tokenizer.preTokenizers]) {
    const read = Object.hasOwn(readers, component.type) ? readers[component.type] : undefined;
    if (!read) throw unsupported(component);
    read(component, found);
  }
  return found;
}

function unsupported(component: Component): PithError {
  return new PithError(
    'unsupported',
    `tokenizer.json: llama.cpp has no counterpart of this "${component.type.slice(0, 40)}" step in a ` +
      'SentencePiece-style tokenizer.',
    'Convert the model with its tokenizer.model beside tokenizer.json.',
  );
}

function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch (cause) {
    throw new PithError(
      'corrupt',
      'tokenizer.json: precompiled_charsmap is not base64.',
      'Download tokenizer.json again.',
      { cause },
    );
  }
}
