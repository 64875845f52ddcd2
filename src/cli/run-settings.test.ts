import { expect, it } from 'vitest';
import * as library from '../index.ts';
import type { PipelineFile } from './pipeline-file.ts';
import { type RunFlags, runSettings } from './run-settings.ts';

const TOKEN = 'a-token-of-sixteen-or-more';

const dashboardOf = (own: unknown, flags: RunFlags, dev = false): unknown => {
  const file = { exports: { options: { dashboard: own } }, library, path: 'clicks.ts' } as unknown as PipelineFile;
  return runSettings(file, flags, {}, new AbortController().signal, dev).dashboard;
};

it('serves the dashboard for a flag as the file says who sees what of it', () => {
  const own = { port: 1, token: TOKEN, mask: () => '•••' };
  expect(dashboardOf(own, { dashboard: true })).toEqual(own);
  expect(dashboardOf(own, { dashboard: '8080' })).toEqual({ ...own, port: 8080 });
  expect(dashboardOf(own, {}, true)).toEqual(own);
});

it('serves the dashboard for a flag where the file says nothing of it', () => {
  expect(dashboardOf(undefined, { dashboard: true })).toBe(true);
  expect(dashboardOf(true, { dashboard: '8080' })).toEqual({ port: 8080 });
  expect(dashboardOf(undefined, {})).toBeUndefined();
  expect(dashboardOf(undefined, {}, true)).toBe(true);
});
