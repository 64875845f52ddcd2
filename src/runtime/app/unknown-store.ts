import { ConfigError } from '../../errors.ts';
import { nearest } from '../../options/nearest.ts';
import type { Topology } from '../../plan/topology.ts';

/** The error for a store that a pipeline does not have. */
export function unknownStore(name: string, { stages }: Pick<Topology, 'stages'>): ConfigError {
  const names = stages.flatMap((stage) => stage.stores.map((store) => store.name));
  const near = nearest(name, names);
  const all = names.length === 0 ? 'it has no stores' : `its stores are ${names.join(', ')}`;
  return new ConfigError('ERR_UNKNOWN_STORE', `the pipeline has no store ${name}`, {
    hint: near === undefined ? all : `did you mean ${near}? ${all}`,
  });
}
