/** Compression of a record batch. @public */
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
