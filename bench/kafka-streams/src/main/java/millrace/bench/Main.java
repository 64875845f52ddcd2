package millrace.bench;

import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/** Does one work from the first record of its input to the last, and prints when it read the first. */
public final class Main {
  private Main() {}

  public static void main(String[] args) throws InterruptedException {
    Work work = new Work(setting("input"), setting("output"), setting("products"), setting("buys"));
    String guarantee = setting("guarantee");
    Properties config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, setting("group"));
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, setting("brokers"));
    config.put(StreamsConfig.STATE_DIR_CONFIG, setting("state"));
    config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    if (guarantee.equals("exactly-once")) {
      config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    }
    if (setting("cache").equals("off")) config.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
    config.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
    config.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 100);
    config.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    // By default windows that close within a second of the last ones wait for a record after that second, which never comes.
    config.put(StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_WINDOWED_AGGREGATION, 10L);

    KafkaStreams streams = new KafkaStreams(work.topology(setting("work")), config);
    streams.setUncaughtExceptionHandler(
        error -> {
          error.printStackTrace();
          Runtime.getRuntime().halt(1);
          return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
    streams.start();
    long records = Long.parseLong(setting("records"));
    long shuffled = Long.parseLong(setting("shuffled"));
    while (work.read.get() < records || work.shuffled.get() < shuffled) Thread.sleep(1);
    // Closing commits.
    if (!streams.close(Duration.ofMinutes(1))) throw new IllegalStateException("it does not close");
    System.out.println(work.firstAt);
  }

  private static String setting(String name) {
    String value = System.getProperty(name);
    if (value == null) throw new IllegalArgumentException("-D" + name + " is missing");
    return value;
  }
}
