import { afterEach, describe, expect, it } from 'vitest';
import { tasksOf } from './several-instances.ts';
import { SharedApplication } from './shared-application.ts';
import { until } from './support.ts';

let shared: SharedApplication | undefined;
afterEach(() => shared?.end('stop'));

describe('several processes that start together with a backlog wait for the one that restores for long', () => {
  it.each(['one', 'two', 'plain', 'asynchronous'] as const)('%s', async (name) => {
    const application = new SharedApplication({ name, sources: 4, shuffles: 2 }, 1200);
    shared = application;
    application.publish(600);
    const before = [application.start(), application.start()];
    await until('both have tasks', () => before.every((each) => tasksOf(each).length > 0));
    await application.quiet();
    await application.end('stop');
    application.publish(600);
    const slow = application.start(true);
    await until('the first one is given tasks', () => application.log.log.groups.hasMembers('app'));
    const quick = application.start();
    await until('the other one has begun', () => tasksOf(quick).length > 0);
    await application.quiet();
    expect(tasksOf(slow)).toEqual([]);
    slow.restored();
    await until('both have tasks', () => tasksOf(slow).length > 0);
    await application.quiet();
    expect(application.instances.flatMap(({ app }) => app.snapshot().waitingFor)).toEqual([]);
    await application.end('stop');
    expect(await application.rows()).toEqual(application.wanted());
  });
});
