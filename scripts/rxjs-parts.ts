/**
 * What the sources import from `rxjs`, each from the module that `rxjs` itself takes it from: the same classes and
 * functions, but Node loads 30 files instead of 224. The build has these imports in place of those from `rxjs`; a name
 * that is missing here ends the build. See docs/adr/0026-few-files-to-load.md.
 */
export { Observable } from 'rxjs/internal/Observable';
export { filter } from 'rxjs/internal/operators/filter';
export { map } from 'rxjs/internal/operators/map';
export { Subject } from 'rxjs/internal/Subject';
export { Subscriber } from 'rxjs/internal/Subscriber';
export { Subscription } from 'rxjs/internal/Subscription';
export { isObservable } from 'rxjs/internal/util/isObservable';
