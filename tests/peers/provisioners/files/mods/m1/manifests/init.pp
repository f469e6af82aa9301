class m1 {}
