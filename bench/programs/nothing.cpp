// The smallest program, to compare with.
int main() {
  return 0;
}
