// A parent for child-service.test.ts that can be killed: prints its child's pid and waits.

import type { TestMethods } from './child.fixture.ts';
import { ChildService, entryUrl } from './child-service.ts';

const service = new ChildService<TestMethods>({
  entry: entryUrl(import.meta.url, './child.fixture'),
  name: 'test',
});
console.log(await service.call('pid', null));
if (process.argv[2] === 'wait') setInterval(() => {}, 1000);
if (process.argv[2] === 'close') await service.close();
