// The pictures that two people compare aloud to know that nobody sits in between: what each number looks like and is called.
// Both apps must agree on the order. Things that look and sound like nothing else here, in every language.
import Anchor from '@lucide/svelte/icons/anchor'
import Apple from '@lucide/svelte/icons/apple'
import Axe from '@lucide/svelte/icons/axe'
import Banana from '@lucide/svelte/icons/banana'
import Bed from '@lucide/svelte/icons/bed'
import Bell from '@lucide/svelte/icons/bell'
import Bike from '@lucide/svelte/icons/bike'
import Bird from '@lucide/svelte/icons/bird'
import Bone from '@lucide/svelte/icons/bone'
import Book from '@lucide/svelte/icons/book'
import Bus from '@lucide/svelte/icons/bus'
import Cake from '@lucide/svelte/icons/cake'
import Camera from '@lucide/svelte/icons/camera'
import Carrot from '@lucide/svelte/icons/carrot'
import Castle from '@lucide/svelte/icons/castle'
import Cat from '@lucide/svelte/icons/cat'
import Cherry from '@lucide/svelte/icons/cherry'
import Cloud from '@lucide/svelte/icons/cloud'
import Clover from '@lucide/svelte/icons/clover'
import Coffee from '@lucide/svelte/icons/coffee'
import Crown from '@lucide/svelte/icons/crown'
import Dices from '@lucide/svelte/icons/dices'
import Dog from '@lucide/svelte/icons/dog'
import Drum from '@lucide/svelte/icons/drum'
import Egg from '@lucide/svelte/icons/egg'
import Feather from '@lucide/svelte/icons/feather'
import Fish from '@lucide/svelte/icons/fish'
import Flag from '@lucide/svelte/icons/flag'
import Flame from '@lucide/svelte/icons/flame'
import Flower from '@lucide/svelte/icons/flower'
import Ghost from '@lucide/svelte/icons/ghost'
import Gift from '@lucide/svelte/icons/gift'
import Glasses from '@lucide/svelte/icons/glasses'
import Grape from '@lucide/svelte/icons/grape'
import Guitar from '@lucide/svelte/icons/guitar'
import Hammer from '@lucide/svelte/icons/hammer'
import Heart from '@lucide/svelte/icons/heart'
import House from '@lucide/svelte/icons/house'
import KeyIcon from '@lucide/svelte/icons/key'
import Lamp from '@lucide/svelte/icons/lamp'
import Leaf from '@lucide/svelte/icons/leaf'
import Magnet from '@lucide/svelte/icons/magnet'
import Moon from '@lucide/svelte/icons/moon'
import Mountain from '@lucide/svelte/icons/mountain'
import Palette from '@lucide/svelte/icons/palette'
import Piano from '@lucide/svelte/icons/piano'
import Pizza from '@lucide/svelte/icons/pizza'
import Plane from '@lucide/svelte/icons/plane'
import Puzzle from '@lucide/svelte/icons/puzzle'
import Rabbit from '@lucide/svelte/icons/rabbit'
import Rainbow from '@lucide/svelte/icons/rainbow'
import Rocket from '@lucide/svelte/icons/rocket'
import Ruler from '@lucide/svelte/icons/ruler'
import Sailboat from '@lucide/svelte/icons/sailboat'
import Scissors from '@lucide/svelte/icons/scissors'
import Snail from '@lucide/svelte/icons/snail'
import Snowflake from '@lucide/svelte/icons/snowflake'
import Sun from '@lucide/svelte/icons/sun'
import Tent from '@lucide/svelte/icons/tent'
import TrainFront from '@lucide/svelte/icons/train-front'
import Trophy from '@lucide/svelte/icons/trophy'
import Turtle from '@lucide/svelte/icons/turtle'
import Umbrella from '@lucide/svelte/icons/umbrella'
import Watch from '@lucide/svelte/icons/watch'
import type { Component } from 'svelte'
import type { Key } from './words.svelte'

export interface ProofPicture {
  readonly Icon: Component<{ size?: number }>
  readonly name: Key
}

export const PROOF_PICTURES: readonly ProofPicture[] = [
  { Icon: Anchor, name: 'proof.anchor' },
  { Icon: Apple, name: 'proof.apple' },
  { Icon: Axe, name: 'proof.axe' },
  { Icon: Banana, name: 'proof.banana' },
  { Icon: Bed, name: 'proof.bed' },
  { Icon: Bell, name: 'proof.bell' },
  { Icon: Bike, name: 'proof.bicycle' },
  { Icon: Bird, name: 'proof.bird' },
  { Icon: Bone, name: 'proof.bone' },
  { Icon: Book, name: 'proof.book' },
  { Icon: Bus, name: 'proof.bus' },
  { Icon: Cake, name: 'proof.cake' },
  { Icon: Camera, name: 'proof.camera' },
  { Icon: Carrot, name: 'proof.carrot' },
  { Icon: Castle, name: 'proof.castle' },
  { Icon: Cat, name: 'proof.cat' },
  { Icon: Cherry, name: 'proof.cherries' },
  { Icon: Cloud, name: 'proof.cloud' },
  { Icon: Clover, name: 'proof.clover' },
  { Icon: Coffee, name: 'proof.cup' },
  { Icon: Crown, name: 'proof.crown' },
  { Icon: Dices, name: 'proof.dice' },
  { Icon: Dog, name: 'proof.dog' },
  { Icon: Drum, name: 'proof.drum' },
  { Icon: Egg, name: 'proof.egg' },
  { Icon: Feather, name: 'proof.feather' },
  { Icon: Fish, name: 'proof.fish' },
  { Icon: Flag, name: 'proof.flag' },
  { Icon: Flame, name: 'proof.fire' },
  { Icon: Flower, name: 'proof.flower' },
  { Icon: Ghost, name: 'proof.ghost' },
  { Icon: Gift, name: 'proof.present' },
  { Icon: Glasses, name: 'proof.glasses' },
  { Icon: Grape, name: 'proof.grapes' },
  { Icon: Guitar, name: 'proof.guitar' },
  { Icon: Hammer, name: 'proof.hammer' },
  { Icon: Heart, name: 'proof.heart' },
  { Icon: House, name: 'proof.house' },
  { Icon: KeyIcon, name: 'proof.key' },
  { Icon: Lamp, name: 'proof.lamp' },
  { Icon: Leaf, name: 'proof.leaf' },
  { Icon: Magnet, name: 'proof.magnet' },
  { Icon: Moon, name: 'proof.moon' },
  { Icon: Mountain, name: 'proof.mountain' },
  { Icon: Palette, name: 'proof.palette' },
  { Icon: Piano, name: 'proof.piano' },
  { Icon: Pizza, name: 'proof.pizza' },
  { Icon: Plane, name: 'proof.aeroplane' },
  { Icon: Puzzle, name: 'proof.puzzle' },
  { Icon: Rabbit, name: 'proof.rabbit' },
  { Icon: Rainbow, name: 'proof.rainbow' },
  { Icon: Rocket, name: 'proof.rocket' },
  { Icon: Ruler, name: 'proof.ruler' },
  { Icon: Sailboat, name: 'proof.sailing_boat' },
  { Icon: Scissors, name: 'proof.scissors' },
  { Icon: Snail, name: 'proof.snail' },
  { Icon: Snowflake, name: 'proof.snowflake' },
  { Icon: Sun, name: 'proof.sun' },
  { Icon: Tent, name: 'proof.tent' },
  { Icon: TrainFront, name: 'proof.train' },
  { Icon: Trophy, name: 'proof.trophy' },
  { Icon: Turtle, name: 'proof.turtle' },
  { Icon: Umbrella, name: 'proof.umbrella' },
  { Icon: Watch, name: 'proof.wristwatch' },
]

/** Of a number out of range nothing is shown, rather than a picture that might be taken for another. */
export function proofPictures(numbers: readonly number[]): readonly ProofPicture[] {
  return numbers.flatMap((number) => PROOF_PICTURES[number] ?? [])
}
