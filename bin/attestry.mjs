#!/usr/bin/env node
// Plain JavaScript for Node 20, without dependencies: brings what the program needs, then runs it under the right Node.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { findNode } from '../scripts/setup/runtime.mjs';
import { SetupError, say, sayNothing } from '../scripts/setup/setup-error.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const here = fileURLToPath(import.meta.url);
const sources = join(root, 'worker', 'cli', 'main.ts');
// Node strips no types below node_modules: an installed package holds JavaScript.
const isClone = existsSync(sources);
const entry = isClone ? sources : join(root, 'dist', 'worker', 'cli', 'main.js');

const COULD_NOT = 2;

try {
  await prepare(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  process.exitCode = COULD_NOT;
}

async function prepare(args) {
  const progress = args.includes('--quiet') ? sayNothing : say;
  if (isClone) {
    const { ensurePackages } = await import('../scripts/setup/packages.mjs');
    await ensurePackages(root, progress, { dev: false });
    if (args.some((arg) => arg.includes('pkcs11:'))) {
      const { ensureTokenBinding, namesToken } = await import('../scripts/setup/token-binding.mjs');
      if (namesToken(args)) await ensureTokenBinding({ root, say: progress });
    }
  }
  const node = findNode(root);
  if (node === undefined) {
    throw new SetupError(
      `Attestry runs on Node 24.15 or newer; this is ${process.version} on ${process.platform} ${process.arch}`,
    );
  }
  if (node !== process.execPath) {
    await runAgain(node, args);
    return;
  }
  const servers = ownServers(args);
  if (servers.length > 0) {
    const { ensureServers } = await import('../scripts/setup/servers.mjs');
    // Locks and downloads have their place in a clone; an installed package only looks.
    await ensureServers({ ids: servers, say: progress, ...(isClone ? { root } : {}) });
    if (isClone) process.env.PATH = `${process.env.PATH ?? ''}:${join(root, '.attestry', 'servers', 'bin')}`;
  }
  endWithLauncher();
  // Compiled code is kept in the clone, which halves the start of the next command; a read-only clone goes without.
  if (isClone) module.enableCompileCache(join(root, '.attestry', 'compile-cache'));
  const { runProcess } = await import(pathToFileURL(entry).href);
  await runProcess();
}

/** The servers that the command starts by itself: `start` brings each that it is not given. */
function ownServers([command, ...flags]) {
  if (command !== 'start' || flags.some((flag) => flag === '--help' || flag === '-h')) return [];
  const given = (flag, variable) =>
    Boolean(process.env[variable]) || flags.some((text) => text === flag || text.startsWith(`${flag}=`));
  return [
    ...(given('--redis', 'ATTESTRY_REDIS_URL') ? [] : ['redis']),
    ...(given('--registry', 'ATTESTRY_REGISTRY') ? [] : ['registry']),
  ];
}

/** Runs this file under another Node, as if it had been called that way: same streams, signals and exit. */
function runAgain(node, args) {
  const child = spawn(node, [here, ...args], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) {
    process.on(signal, () => {
      if (!terminalSent(signal)) child.kill(signal);
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (signal) {
        process.removeAllListeners(signal);
        process.kill(process.pid, signal);
        return;
      }
      process.exitCode = code ?? COULD_NOT;
      resolve();
    });
  });
}

/**
 * True when the terminal has sent the signal to the child as well: Ctrl-C goes to the whole foreground process group,
 * and a second SIGINT would cut the child's orderly end short.
 */
function terminalSent(signal) {
  if (signal !== 'SIGINT' && signal !== 'SIGQUIT') return false;
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    // proc(5): after the name in parentheses come state, ppid, pgrp, session, tty_nr and tpgid.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[4] !== '0' && fields[2] === fields[5];
  } catch {
    return false;
  }
}

/** When the launcher of `runAgain` is killed outright, its channel breaks, and the program ends in order. */
function endWithLauncher() {
  if (!process.channel) return;
  process.channel.unref();
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}
