#!/usr/bin/env node
import process from 'node:process';
import { main, type CommandLoader } from './framework/main.ts';

const commands: Readonly<Record<string, CommandLoader>> = {
  demo: async () => (await import('./demo.ts')).demo,
  doctor: async () => (await import('./doctor.ts')).doctor,
  inspect: async () => (await import('./inspect.ts')).inspect,
  shrink: async () => (await import('./shrink.ts')).shrink,
  quantize: async () => (await import('./quantize.ts')).quantize,
  calibrate: async () => (await import('./calibrate.ts')).calibrate,
  verify: async () => (await import('./verify.ts')).verify,
  evaluate: async () => (await import('./evaluate.ts')).evaluate,
  run: async () => (await import('./run.ts')).run,
  chat: async () => (await import('./chat.ts')).chat,
  fit: async () => (await import('./fit.ts')).fit,
  report: async () => (await import('./report.ts')).report,
  bench: async () => (await import('./bench.ts')).bench,
};

process.exitCode = await main(commands, process.argv.slice(2));
