"""An answer with every kind of block in it."""

ANSWER = """\
<think>First I think.

Then I think again.</think>

# Title

Some **bold**, *italic*, ~~struck~~ and `code` with a [link](https://example.org/a) and
https://example.org/b, an ![image](https://example.org/c.png) and <b>HTML</b>.
A line after a line.

1. one
2. two
   - nested
   - `more`

   a paragraph in an item
3. three
   ```sh
   echo in a list

   echo again
   ```

- [ ] open
- [x] done

> quoted
> > twice

```python
def f(x: int) -> str:
    \"\"\"Doc.\"\"\"

    return str(x)
```
Text right after.

| left | right |
|:-----|------:|
| a    | 1     |
| b    | `2`   |

---

~~~
tildes ``` inside
~~~

A footnote[^1] and a [reference][ref]. 中文也要，emoji 🌿 too.

Setext
------

    indented code

[^1]: The note.
[ref]: https://example.org/ref

```
never closed
"""
