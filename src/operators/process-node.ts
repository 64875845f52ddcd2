import type { Observable } from 'rxjs';
import { node, portOf } from '../dataflow/operator.ts';
import type { StreamRecord } from '../record.ts';
import { declareStore } from '../state/store-spec.ts';
import { serdeCodec } from '../state/value-codec.ts';
import { ProcessInstance } from './process-instance.ts';
import type { ProcessPlan } from './process-plan.ts';
import type { OutputDeclarations, OutputValue } from './process-types.ts';

/** The output of a step: a stream, with its other outputs as streams in properties. @public */
export interface Processed<K, P extends OutputDeclarations, Out> extends Observable<StreamRecord<K, Out>> {
  readonly outputs: { readonly [N in keyof P]: Observable<StreamRecord<K, OutputValue<P[N]>>> };
}

type Row = StreamRecord<unknown, unknown>;

/** The step that implements `process` and `processAll`. */
export function processNode<K, P extends OutputDeclarations, Out>(
  name: string,
  sources: readonly Observable<unknown>[],
  plan: ProcessPlan,
): Processed<K, P, Out> {
  const { into, outputs, stores, version } = plan;
  const written = `process(${plan.name}) v${version}`;
  const stream = node<never, Row>(sources, {
    name,
    detail: plan.name,
    keepsTime: true,
    waits: [...plan.kinds.values()].includes('stream-time'),
    needsKey: true,
    stores: [
      { name: plan.name, fingerprint: written },
      ...stores.map(([, { key, kind, name: store, value }]) =>
        declareStore({
          name: store,
          kind: 'keyValue',
          key: key ?? 'upstream',
          value: serdeCodec(value, store),
          fingerprint: `${written}: ${kind} ${key?.name ?? 'record key'} ${value.name}`,
        }),
      ),
    ],
    ports: outputs,
    roots: (port) => Object.entries(into).map(([output, make]) => make(port(output), undefined) as Observable<unknown>),
    create: (step) => new ProcessInstance(plan, step),
  });
  const streams = Object.fromEntries(outputs.map((output) => [output, portOf<Row>(stream, output)]));
  return Object.assign(stream, { outputs: streams }) as unknown as Processed<K, P, Out>;
}
