export { TestDriver, type TestDriverOptions, type TestRecord } from './test-driver.ts';
export { VirtualClock } from './virtual-clock.ts';
