/**
 * Tokenizer files of Hugging Face and SentencePiece as GGUF vocabulary keys.
 *
 * @module
 */
export { tokenizerFileNames, type TokenizerFiles } from './files.ts';
export { ggufVocabulary, type GgufVocabulary } from './gguf-vocabulary.ts';
export { parseSentencePiece, type SentencePieceModel } from './sentencepiece.ts';
export { parseTokenizerJson, type TokenizerJson } from './tokenizer-json.ts';
