import type { GenerateOptions, LlamaOptions } from '../runtime/llama.ts';
import type { OptionSpecs, OptionValues } from './framework/command.ts';

/** How the next token is chosen; the defaults are llama.cpp's, and a fixed seed. */
export const samplingOptions = {
  temp: {
    type: 'number',
    value: 'T',
    default: 0.8,
    min: 0,
    description: 'Temperature; 0 always takes the likeliest token.',
  },
  seed: {
    type: 'integer',
    value: 'S',
    default: 0,
    min: 0,
    max: 2 ** 32 - 1,
    description: 'The same seed gives the same text.',
  },
  'top-p': {
    type: 'number',
    value: 'P',
    default: 0.95,
    min: 0,
    max: 1,
    description: 'Choose among the likeliest tokens up to this total probability; 1 is off.',
  },
  'top-k': {
    type: 'integer',
    value: 'K',
    default: 40,
    min: 0,
    description: 'Choose among this many of the likeliest tokens; 0 is off.',
  },
  'min-p': {
    type: 'number',
    value: 'P',
    default: 0.05,
    min: 0,
    max: 1,
    description: 'Drop tokens less likely than this share of the likeliest; 0 is off.',
  },
} as const satisfies OptionSpecs;

/** How the engine runs. */
export const engineOptions = {
  threads: {
    type: 'integer',
    value: 'N',
    min: 1,
    max: 1024,
    description: 'Threads that decode. Default: the fastest number, found by trying.',
  },
  context: {
    type: 'integer',
    value: 'N',
    min: 2,
    description: 'Tokens of prompt and answer. Default: as trained, at most 4096.',
  },
  gpu: {
    type: 'string',
    choices: ['auto', 'off'],
    default: 'auto',
    description: 'Use a GPU when llama.cpp finds one.',
  },
} as const satisfies OptionSpecs;

type Sampling = OptionValues<typeof samplingOptions>;
type Engine = OptionValues<typeof engineOptions>;

/** The sampling options by the library's names. */
export function samplingOf(options: Sampling): Omit<GenerateOptions, 'maxTokens'> {
  return {
    temperature: options.temp,
    seed: options.seed,
    topP: options['top-p'],
    topK: options['top-k'],
    minP: options['min-p'],
  };
}

/** The engine options by the library's names. */
export function engineOf({ threads, context, gpu }: Engine): LlamaOptions {
  return { threads, contextLength: context, gpu: gpu === 'auto' ? 'auto' : false };
}
