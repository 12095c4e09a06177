import { assert, assertEquals, assertThrows } from "@std/assert";
import { openLog } from "../../lib/log/log.ts";
import { LogFileError } from "../../lib/log/log_file_error.ts";

Deno.test("openLog() writes its lines to kingbus.log as well, at once", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const lines: string[] = [];
    const directory = `${folder}/a/b`;
    const log = openLog({
      level: "info",
      format: "text",
      directory,
      write: (line) => lines.push(line),
    });
    log.info("one");
    log.debug("not this");
    const file = `${directory}/kingbus.log`;
    assertEquals(Deno.readTextFileSync(file), lines.join(""));
    log.close();
    log.info("two");
    assertEquals(lines.length, 2);
    assertEquals(Deno.readTextFileSync(file), lines[0]);

    const again = openLog({
      level: "info",
      format: "text",
      directory,
      write: () => {},
    });
    again.info("three");
    again.close();
    assertEquals(Deno.readTextFileSync(file).split("\n").length, 3);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("openLog() rotates its file by size and keeps so many old ones", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const log = openLog({
      level: "info",
      format: "json",
      directory,
      fileBytesMax: 1000,
      oldFilesMax: 2,
      write: () => {},
    });
    for (let line = 0; line < 100; line++) log.info(`line ${line}`);
    log.close();
    const names = [...Deno.readDirSync(directory)].map(({ name }) => name);
    assertEquals(names.sort(), [
      "kingbus.log",
      "kingbus.log.1",
      "kingbus.log.2",
    ]);
    for (const name of names) {
      assert(Deno.statSync(`${directory}/${name}`).size <= 1000);
    }
    const newest = Deno.readTextFileSync(`${directory}/kingbus.log`);
    assert(newest.includes("line 99"));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("openLog() throws LogFileError when the file cannot be opened", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/file`, "");
    const error = assertThrows(
      () =>
        openLog({
          level: "info",
          format: "text",
          directory: `${folder}/file/sub`,
        }),
      LogFileError,
    );
    assertEquals(error.path, `${folder}/file/sub/kingbus.log`);
    assert(!error.message.includes("\n"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
