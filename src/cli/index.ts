#!/usr/bin/env node
import process from 'node:process';
import { main, type CommandLoader } from './framework/main.ts';

const commands: Readonly<Record<string, CommandLoader>> = {
  chat: async () => (await import('./chat.ts')).chat,
  demo: async () => (await import('./demo.ts')).demo,
  quantize: async () => (await import('./quantize.ts')).quantize,
  verify: async () => (await import('./verify.ts')).verify,
  run: async () => (await import('./run.ts')).run,
};

process.exitCode = await main(commands, process.argv.slice(2));
