package millrace.bench;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.WindowStore;

/** The pipelines, step by step those of bench/kafka/works.ts. */
final class Work {
  record Click(String userId, String url, long at, String referrer) {}

  record View(String userId, String product, long at) {}

  record Product(String category) {}

  record Categorised(String category, long at) {}

  record Count(long start, long clicks) {}

  record Buy(String product) {}

  record Visit(long start, long end, long clicks) {}

  record Bought(String url, String product) {}

  private static final Serde<String> KEY = Serdes.String();
  private static final Duration DAY = Duration.ofDays(1);

  /** Records that were read from the input. */
  final AtomicLong read = new AtomicLong();

  /** Records that were read after the shuffle. */
  final AtomicLong shuffled = new AtomicLong();

  /** When the first record was read, in ms since the epoch. */
  volatile long firstAt;

  private final String input;
  private final String output;
  private final String products;
  private final String buys;

  Work(String input, String output, String products, String buys) {
    this.input = input;
    this.output = output;
    this.products = products;
    this.buys = buys;
  }

  Topology topology(String name) {
    StreamsBuilder builder = new StreamsBuilder();
    switch (name) {
      case "pass" -> seen(builder.stream(input, Consumed.with(Serdes.ByteArray(), Serdes.ByteArray())))
          .to(output, Produced.with(Serdes.ByteArray(), Serdes.ByteArray()));
      case "map" -> seen(clicks(builder))
          .filter((key, click) -> !click.url.endsWith("0"))
          .mapValues(click -> new View(click.userId, click.url.substring(10), click.at))
          .to(output, Produced.with(KEY, Json.of(View.class)));
      case "count-1m" -> count(builder, Duration.ofMinutes(1));
      case "count-10m" -> count(builder, Duration.ofMinutes(10));
      case "shuffle" -> shuffle(builder);
      case "sessions" -> sessions(builder);
      case "stream-join" -> streamJoin(builder);
      case "table-join" -> tableJoin(builder);
      default -> throw new IllegalArgumentException(name);
    }
    return builder.build();
  }

  private KStream<String, Click> clicks(StreamsBuilder builder) {
    return builder.stream(input, Consumed.with(KEY, Json.of(Click.class)));
  }

  private <K, V> KStream<K, V> seen(KStream<K, V> stream) {
    return stream.peek((key, value) -> {
      if (read.getAndIncrement() == 0) firstAt = System.currentTimeMillis();
    });
  }

  private void count(StreamsBuilder builder, Duration size) {
    // With the default retention a record that moves time far makes the store forget windows before they are emitted.
    Materialized<String, Long, WindowStore<Bytes, byte[]>> store =
        Materialized.<String, Long, WindowStore<Bytes, byte[]>>as("counts")
            .withKeySerde(KEY)
            .withValueSerde(Serdes.Long())
            .withRetention(Duration.ofHours(2));
    write(
        seen(clicks(builder))
            .groupByKey()
            .windowedBy(TimeWindows.ofSizeWithNoGrace(size))
            .emitStrategy(EmitStrategy.onWindowClose())
            .count(store));
  }

  private void sessions(StreamsBuilder builder) {
    Materialized<String, Long, SessionStore<Bytes, byte[]>> store =
        Materialized.<String, Long, SessionStore<Bytes, byte[]>>as("visits")
            .withKeySerde(KEY)
            .withValueSerde(Serdes.Long())
            .withRetention(Duration.ofHours(2));
    seen(clicks(builder))
        .groupByKey()
        .windowedBy(SessionWindows.ofInactivityGapWithNoGrace(Duration.ofMinutes(1)))
        .emitStrategy(EmitStrategy.onWindowClose())
        .count(store)
        .toStream()
        .map(
            (window, clicks) ->
                KeyValue.pair(window.key(), new Visit(window.window().start(), window.window().end(), clicks)))
        .to(output, Produced.with(KEY, Json.of(Visit.class)));
  }

  private void streamJoin(StreamsBuilder builder) {
    KStream<String, Buy> bought = seen(builder.stream(buys, Consumed.with(KEY, Json.of(Buy.class))));
    seen(clicks(builder))
        .join(
            bought,
            (click, buy) -> new Bought(click.url, buy.product),
            JoinWindows.ofTimeDifferenceAndGrace(Duration.ofSeconds(30), Duration.ofMinutes(10)),
            StreamJoined.with(KEY, Json.of(Click.class), Json.of(Buy.class)).withStoreName("bought"))
        .to(output, Produced.with(KEY, Json.of(Bought.class)));
  }

  /** Tables are made of streams, so that records can be seen on their way: a table reads its topic itself. */
  private void tableJoin(StreamsBuilder builder) {
    KTable<String, Buy> lastBuys =
        seen(builder.stream(buys, Consumed.with(KEY, Json.of(Buy.class)))).toTable(stored("last-buys", Buy.class));
    KTable<String, Click> lastClicks = seen(clicks(builder)).toTable(stored("last-clicks", Click.class));
    lastClicks
        .join(lastBuys, (click, buy) -> new Bought(click.url, buy.product), stored("last", Bought.class))
        .toStream()
        .to(output, Produced.with(KEY, Json.of(Bought.class)));
  }

  private static <V> Materialized<String, V, KeyValueStore<Bytes, byte[]>> stored(String name, Class<V> type) {
    return Materialized.<String, V, KeyValueStore<Bytes, byte[]>>as(name).withKeySerde(KEY).withValueSerde(Json.of(type));
  }

  private void shuffle(StreamsBuilder builder) {
    var table = builder.globalTable(products, Consumed.with(KEY, Json.of(Product.class)));
    write(
        seen(clicks(builder))
            .filter((key, click) -> !click.url.endsWith("0"))
            .join(table, (key, click) -> click.url, (click, product) -> new Categorised(product.category, click.at))
            .selectKey((key, value) -> value.category)
            .repartition(
                Repartitioned.with(KEY, Json.of(Categorised.class)).withName("shuffle").withNumberOfPartitions(2))
            .peek((key, value) -> shuffled.incrementAndGet())
            .groupByKey()
            .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofSeconds(10), DAY))
            .count(
                Materialized.<String, Long, WindowStore<Bytes, byte[]>>as("counts")
                    .withKeySerde(KEY)
                    .withValueSerde(Serdes.Long())
                    .withRetention(DAY.plusHours(2))));
  }

  private void write(KTable<Windowed<String>, Long> counts) {
    counts
        .toStream()
        .map((window, clicks) -> KeyValue.pair(window.key(), new Count(window.window().start(), clicks)))
        .to(output, Produced.with(KEY, Json.of(Count.class)));
  }
}
