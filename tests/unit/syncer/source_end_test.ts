import { assertEquals } from "@std/assert";
import { SourceEnd } from "../../../lib/syncer/source_end.ts";
import type { SourceFile } from "../../../lib/syncer/source_session.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { neverWithin } from "../../support/never_within.ts";

/** A source that has more than it has sent. */
class FakeSource {
  isCaughtUp = false;
  fileName = "binlog.000002";
  position = 100n;
  answer: SourceFile[] | undefined = [
    { name: "binlog.000001", size: 1000 },
    { name: "binlog.000002", size: 500 },
    { name: "binlog.000003", size: 30 },
  ];
  asked = 0;
  /** More has come each time it is looked. */
  writesOn = false;

  end(periodMs = 5): SourceEnd {
    return new SourceEnd({
      periodMs,
      lookMs: 5,
      isCaughtUp: () => this.isCaughtUp,
      position: () => {
        if (this.writesOn) this.position++;
        return this;
      },
      ask: () => {
        this.asked++;
        return Promise.resolve(this.answer);
      },
      onEnd: () => this.isCaughtUp = true,
    });
  }
}

Deno.test("SourceEnd.bytesBehind is what is left of the files the source has", async () => {
  const source = new FakeSource();
  await using end = source.end();
  assertEquals(end.bytesBehind, undefined, "nobody has asked yet");
  await waitUntil("it was asked", () => end.bytesBehind !== undefined);
  assertEquals(end.bytesBehind, 430);
  source.position = 500n;
  assertEquals(end.bytesBehind, 30);
  source.fileName = "binlog.000003";
  source.position = 4n;
  assertEquals(end.bytesBehind, 26);
  // what the source wrote since it was asked
  source.position = 99n;
  assertEquals(end.bytesBehind, 0);
  source.fileName = "binlog.000004";
  source.position = 4n;
  assertEquals(end.bytesBehind, 0);
});

Deno.test("SourceEnd asks again, and keeps what it knows when there is no answer", async () => {
  const source = new FakeSource();
  await using end = source.end();
  await waitUntil("it was asked", () => end.bytesBehind === 430);
  source.answer = undefined;
  const { asked } = source;
  await waitUntil("it was asked again", () => source.asked > asked + 2);
  assertEquals(end.bytesBehind, 430);
  source.answer = [{ name: "binlog.000002", size: 700 }];
  await waitUntil("it knows better", () => end.bytesBehind === 600);
});

Deno.test("SourceEnd asks nothing of a source that has no more", async () => {
  const source = new FakeSource();
  source.isCaughtUp = true;
  await using end = source.end();
  await neverWithin(60, "it asked", () => source.asked > 0);
  assertEquals(end.bytesBehind, 0);
});

Deno.test("SourceEnd asks nothing more once it has ended", async () => {
  const source = new FakeSource();
  {
    await using _end = source.end();
    await waitUntil("it was asked", () => source.asked > 0);
  }
  const { asked } = source;
  await neverWithin(60, "it asked", () => source.asked > asked);
});

Deno.test("SourceEnd tells of an end where all has come that the source has", async () => {
  const source = new FakeSource();
  await using end = source.end();
  await waitUntil("it was asked", () => end.bytesBehind === 430);
  // The size of another file, and of this one, and of a place inside of it.
  source.position = 30n;
  await neverWithin(60, "it took that for the end", () => source.isCaughtUp);
  source.fileName = "binlog.000003";
  source.position = 29n;
  await neverWithin(60, "it took that for the end", () => source.isCaughtUp);
  // What has come since it was asked is not known to be all.
  source.position = 31n;
  await neverWithin(60, "it took that for the end", () => source.isCaughtUp);
  source.position = 30n;
  await waitUntil("it was at the end", () => source.isCaughtUp);
  assertEquals(end.bytesBehind, 0);
});

Deno.test("SourceEnd asks a source that falls quiet, until it was at its end", async () => {
  const source = new FakeSource();
  source.writesOn = true;
  await using _end = source.end(3_600_000);
  await waitUntil("it was asked at the begin", () => source.asked === 1);
  await neverWithin(60, "it asked while more came", () => source.asked > 1);
  source.writesOn = false;
  await waitUntil("it asked when nothing came", () => source.asked === 2);
  await neverWithin(60, "it asked twice", () => source.asked > 2);
  source.fileName = "binlog.000003";
  source.position = 30n;
  await waitUntil("it was at the end", () => source.isCaughtUp);
  assertEquals(source.asked, 3);
  // What it writes from then on is new.
  source.isCaughtUp = false;
  source.position = 31n;
  await neverWithin(60, "it asked of what is new", () => source.asked > 3);
});
