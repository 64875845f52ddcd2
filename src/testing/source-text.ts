/** How the fields of objects are ordered. */
export type FieldOrder = 'as given' | 'by name';

/**
 * A value as TypeScript source, to paste from a message into a test. A value without such a form, such as a class
 * instance, is shown by its fields, or by its text if it has none.
 *
 * @param order - With `by name`, objects that differ only in the order of their fields have the same text.
 */
export function sourceText(value: unknown, order: FieldOrder = 'as given'): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value !== 'object' || value === null) return String(value);
  const listed = (items: Iterable<unknown>): string => Array.from(items, (item) => sourceText(item, order)).join(', ');
  if (value instanceof Uint8Array) return value.length === 0 ? 'new Uint8Array()' : `Uint8Array.of(${listed(value)})`;
  if (value instanceof Date) return `new Date(${value.getTime()})`;
  if (Array.isArray(value)) return `[${listed(value)}]`;
  if (value instanceof Map) return value.size === 0 ? 'new Map()' : `new Map([${listed(value)}])`;
  if (value instanceof Set) return value.size === 0 ? 'new Set()' : `new Set([${listed(value)}])`;
  if (ArrayBuffer.isView(value) && Symbol.iterator in value) {
    return `${value.constructor.name}.of(${listed(value as unknown as Iterable<unknown>)})`;
  }
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  if (order === 'by name') fields.sort(([left], [right]) => (left < right ? -1 : 1));
  if (fields.length === 0) return withoutFields(value);
  return `{ ${fields.map(([name, field]) => `${nameText(name)}: ${sourceText(field, order)}`).join(', ')} }`;
}

function nameText(name: string): string {
  // Without brackets it would set the prototype.
  if (name === '__proto__') return `['__proto__']`;
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name);
}

/** Such as a URL, whose content is not in fields. */
function withoutFields(value: object): string {
  if (value instanceof RegExp) return String(value);
  const { toString } = value as { readonly toString?: unknown };
  const text: unknown = typeof toString === 'function' ? Reflect.apply(toString, value, []) : undefined;
  if (typeof text !== 'string' || text.startsWith('[object ')) return '{}';
  return `new ${value.constructor.name}(${quoted(text)})`;
}

function quoted(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inner}'`;
}

/** Reserved words, and names that the printed lines use for other things. */
const TAKEN = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends false ' +
    'finally for function if implements import in instanceof interface let new null package private protected public return ' +
    'static super switch this throw true try typeof var void while with yield console driver pipeline'
  ).split(' '),
);

/** A name for a variable that holds a topic. */
export function variableName(topic: string): string {
  const words = topic.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  const name = words.map((word, at) => (at === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1))).join('');
  if (TAKEN.has(name)) return `${name}Topic`;
  return /^[A-Za-z]/.test(name) ? name : `topic${name}`;
}
