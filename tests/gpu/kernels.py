"""kernels.py PLAN.json... FOLDER PATTERN: from what `cltrain bench --plan --json` wrote, the programs whose kernels' names fit the
pattern, as files of the folder; a line each: file, kernel, work-items of a group, bytes of local memory, tile. A kernel with the same
tile, baked in or not, stands once."""
import json
import re
import sys

*plans, folder, pattern = sys.argv[1:]
seen = set()


def tile_of(options):
    value = dict(word[2:].split("=", 1) for word in options.split() if "=" in word)
    if "GROUP_M" not in value:
        return "-"
    return "{GROUP_M}x{GROUP_N}of{ITEM_M}x{ITEM_N}k{TILE_K}".format(**value) + ("baked" if "BAKED" in value else "")


for path in plans:
    with open(path) as file:
        plan = json.load(file)
    for launch in plan["launches"]:
        program = plan["programs"][launch["program"]]
        key = launch["kernel"], tile_of(program["options"])
        if not re.search(pattern, launch["kernel"]) or key in seen:
            continue
        seen.add(key)
        name = f"{folder}/{len(seen):03}"
        with open(name + ".cl", "w") as file:
            file.write(program["source"])
        with open(name + ".options", "w") as file:
            file.write(program["options"])
        print(name, launch["kernel"], launch["group_items"], launch["local_bytes"], key[1])
