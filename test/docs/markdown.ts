/** A fenced block of a document: where it stands and what was said about it. */
export interface Fence {
  /** First word of the info string, such as `ts` or `sh`; empty when there is none. */
  readonly language: string;
  /** The other words of the info string. */
  readonly flags: readonly string[];
  /** Line of the first line of code, counted from 1. */
  readonly line: number;
  readonly code: readonly string[];
  /** The text of an HTML comment directly above the block (blank lines between do not count). */
  readonly remark: string | undefined;
}

const opening = /^(\s*)(`{3,}|~{3,})\s*(.*)$/;

/** Finds the fenced blocks of a markdown text, in order. Indented fences (in lists) lose their indentation. */
export function fences(text: string): Fence[] {
  const found: Fence[] = [];
  const lines = text.split('\n');
  let remark: string | undefined;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? '';
    const open = opening.exec(line);
    if (open === null) {
      const comment = /^\s*<!--\s*(.*?)\s*-->\s*$/.exec(line);
      if (comment !== null) remark = comment[1];
      else if (line.trim() !== '') remark = undefined;
      continue;
    }
    const [, indent = '', fence = '```', info = ''] = open;
    const code: string[] = [];
    const start = i + 2;
    for (i++; i < lines.length && !(lines[i] ?? '').trim().startsWith(fence); i++) {
      const inner = lines[i] ?? '';
      code.push(inner.startsWith(indent) ? inner.slice(indent.length) : inner.trimStart());
    }
    const [language = '', ...flags] = info.split(/\s+/).filter((word) => word !== '');
    found.push({ language, flags, line: start, code, remark });
    remark = undefined;
  }
  return found;
}

/** Targets of the relative links of a markdown text, without fragment, outside of code. */
export function relativeLinks(text: string): string[] {
  const prose = text.replace(/^\s*(`{3,}|~{3,})[\s\S]*?^\s*\1\s*$/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)[^)]*\)/g)]
    .map((match) => match[1] ?? '')
    .filter((target) => !/^([a-z]+:|#)/.test(target))
    .map((target) => decodeURI(target.replace(/#.*$/, '')));
}
