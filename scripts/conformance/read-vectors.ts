import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Case, VectorFile } from './format.ts';

/** A file of the folder: its vectors, or why it is none. */
export type ReadFile =
  | { readonly name: string; readonly vectors: VectorFile }
  | { readonly name: string; readonly problem: string };

/** Reads every `*.json` of a folder. A file that holds no vectors is reported, not thrown on. */
export function readVectors(folder: string): ReadFile[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort();
  return names.map((name) => readFile(folder, name));
}

function readFile(folder: string, name: string): ReadFile {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  } catch (error) {
    return { name, problem: `cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  }
  if (!isObject(content) || typeof content['family'] !== 'string' || !Array.isArray(content['cases'])) {
    return { name, problem: 'has no family and cases' };
  }
  const cases: unknown[] = content['cases'];
  const broken = cases.findIndex((entry) => !isCase(entry));
  if (broken >= 0) return { name, problem: `case ${broken + 1} lacks its name, operator, params or steps` };
  return { name, vectors: { family: content['family'], cases: cases as Case[] } };
}

function isCase(entry: unknown): entry is Case {
  if (!isObject(entry) || typeof entry['name'] !== 'string' || typeof entry['operator'] !== 'string') return false;
  return isObject(entry['params']) && Array.isArray(entry['steps']) && entry['steps'].every(isStep);
}

function isStep(step: unknown): boolean {
  return isObject(step) && isObject(step['in']) && (Array.isArray(step['out']) || typeof step['error'] === 'string');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
