import { expect, test } from 'vitest';
import { guides, withPictures } from '../../scripts/pictures/guides.ts';
import { read } from './collect.ts';

test.each(Object.keys(guides))('the pictures in docs/%s are what the operators do', (guide) => {
  const text = read(`docs/${guide}`);
  expect(withPictures(guide, text), 'npx tsx scripts/pictures.ts --write').toBe(text);
});
