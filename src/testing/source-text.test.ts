import { expect, it } from 'vitest';
import { variableName } from './source-text.ts';

it('names variables so that what is printed can be pasted', () => {
  expect(['orders', 'clicks-by-user.v1', '2026-orders', '_', 'in', 'delete', 'driver', 'In'].map(variableName)).toEqual(
    ['orders', 'clicksByUserV1', 'topic2026Orders', 'topic', 'inTopic', 'deleteTopic', 'driverTopic', 'In'],
  );
});
