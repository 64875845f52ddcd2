import { type Fence, fences } from './markdown.ts';

/**
 * A program of a document: one block, or several that continue each other. Its text keeps every line at the line number
 * it has in the document, so that messages of the compiler and stack traces point at the document.
 */
export interface Program {
  /** The document, as a path from the root of the project. */
  readonly document: string;
  /** Line of its first line of code. */
  readonly line: number;
  readonly text: string;
  /** What the program says it prints, line by line; empty when it says nothing. */
  readonly expected: readonly string[];
  /** Whether it is executed, or only compiled. */
  readonly run: boolean;
}

/** What is wrong with a document itself. */
export interface Complaint {
  readonly document: string;
  readonly line: number;
  readonly text: string;
}

export interface Extracted {
  readonly programs: Program[];
  readonly complaints: Complaint[];
}

const misspelt = new Set(['typescript', 'js', 'javascript', 'mts', 'tsx', 'mjs']);

/** Makes programs of the blocks of one document (or of one `@example`). */
function assemble(document: string, blocks: readonly Fence[], into: Extracted): void {
  let open: { line: number; lines: string[]; run: boolean } | undefined;
  const close = (): void => {
    if (open === undefined) return;
    const expected = open.lines.flatMap((line) => /\/\/ => ?(.*)$/.exec(line)?.[1] ?? []);
    into.programs.push({
      document,
      line: open.line,
      text: `${open.lines.join('\n')}\nexport {};\n`,
      expected,
      run: open.run,
    });
    open = undefined;
  };
  for (const block of blocks) {
    const complain = (text: string): void => void into.complaints.push({ document, line: block.line, text });
    if (misspelt.has(block.language))
      complain(`write \`\`\`ts instead of \`\`\`${block.language}: only ts blocks are tested`);
    if (block.language !== 'ts') continue;
    const unknown = block.flags.find((flag) => flag !== 'nocheck' && flag !== 'norun');
    if (unknown !== undefined) complain(`unknown word \`${unknown}\` after \`\`\`ts: there are nocheck and norun`);
    const exempt = block.flags.find((flag) => flag === 'nocheck' || flag === 'norun');
    if (exempt !== undefined && !block.remark?.startsWith(`${exempt}: `)) {
      complain(`\`\`\`ts ${exempt} needs its reason on the line above: <!-- ${exempt}: because … -->`);
    }
    if (exempt === 'nocheck') continue;
    if (block.remark === 'continues' && open !== undefined) {
      while (open.lines.length < block.line - 1) open.lines.push('');
      open.lines.push(...block.code);
      if (exempt === 'norun') open.run = false;
      continue;
    }
    if (block.remark === 'continues') complain('nothing to continue: this is the first block of its document');
    close();
    open = {
      line: block.line,
      lines: [...Array<string>(block.line - 1).fill(''), ...block.code],
      run: exempt !== 'norun',
    };
  }
  close();
}

/** The programs of a markdown document. */
export function ofMarkdown(document: string, text: string, into: Extracted): void {
  assemble(document, fences(text), into);
}

/** The programs in the `@example` blocks of a source file. Each `@example` stands alone. */
export function ofSource(document: string, text: string, into: Extracted): void {
  for (const comment of text.matchAll(/^[ \t]*\/\*\*[\s\S]*?\*\//gm)) {
    const above = text.slice(0, comment.index).split('\n').length - 1;
    const lines = comment[0].split('\n').map((line) => line.replace(/^\s*\* ?/, ''));
    for (let at = 0; at < lines.length; at++) {
      if (!/^@example\b/.test(lines[at] ?? '')) continue;
      let end = at + 1;
      let fenced = false;
      while (end < lines.length && (fenced || !/^@[a-z]/i.test(lines[end] ?? ''))) {
        if (lines[end]?.startsWith('```')) fenced = !fenced;
        end++;
      }
      const example = [...Array<string>(above + at).fill(''), ...lines.slice(at, end)].join('\n');
      const blocks = fences(example);
      if (blocks.length === 0) {
        into.complaints.push({ document, line: above + at + 1, text: '@example without a fenced ```ts block' });
      }
      assemble(document, blocks, into);
      at = end - 1;
    }
  }
}
